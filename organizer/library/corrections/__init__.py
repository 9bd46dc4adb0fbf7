"""A person's decisions about clusters and images: applied, undone, listed."""
