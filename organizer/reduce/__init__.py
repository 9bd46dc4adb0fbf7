"""Vectors -> the space in which they are clustered.

Every reducer gives the same points for the same vectors and seed, places further vectors at a cost
that does not grow with the number that it was fitted on, and can be kept: `state` is a dict of
arrays, `restore` its inverse.
"""

from organizer.reduce.linear import none, pca
from organizer.reduce.manifold import umap
from organizer.reduce.smoothing import smooth

__all__ = ["none", "pca", "smooth", "umap"]
