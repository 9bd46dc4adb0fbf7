"""Processes that read what people photographed, and that may be killed.

A decoder is a library in C, and a file can make it crash, never end, or take all memory. In a
process of its own that costs the file and not the run.

The object that does the work lives in each process (`serve`); its generator methods are called from
here (`Worker.call`), and what they yield comes through a pipe (`messages`). `WorkerPool` keeps a few
processes, sees to their limits, and starts new ones for those that died. Nothing but the class and
the import path of this process is handed over, so scripts and notebooks need no ``__main__`` guard.
"""
