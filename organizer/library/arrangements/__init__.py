"""Arrangements of a library's photos: what goes where, what stands, and the way back to words."""
