"""Review: a person answers for samples of the clusters whether the images belong."""
