"""A grid of embedders, spaces, algorithms and numbers of clusters, on the images of a library.

`grid` says what is to be tried, `running` tries it, `ledger` keeps what was done, `scoring` and
`ranking` judge it; `recipes` has published experiments as plans.
"""
