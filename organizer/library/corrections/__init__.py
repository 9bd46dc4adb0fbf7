"""Corrections: a person's decisions about clusters and images, applied, undone and listed."""
