"""Processes that read what people photographed, and that may be killed.

A decoder is a library in C, and a file can make it crash, never end, or take all memory. In a
process of its own that costs the file and not the run.

The object that does the work lives in each process (`serve`); its generator methods are called from
here (`process`), and what they yield comes through a pipe (`messages`). A pool keeps a few of them,
sees to their limits, and starts new ones for those that died (`pool`). Nothing but the name of the
class and the import path is handed over, so scripts and notebooks need no ``__main__`` guard.
"""
