"""Compare embedders, spaces, algorithms and numbers of clusters on the images of a library.

`grid` is the plan, `run` runs it, `run_cache` keeps finished runs, `scores` scores them and
`verdict` names the best; `recipes` has published experiments as plans, `findings` and `plots` what
these show besides.
"""
