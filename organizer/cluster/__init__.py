"""vectors -> Clustering: groups, how many of them, and which ones they were before."""
