"""Reports: how good the clustering is, as scores, as an HTML page, as plots."""
