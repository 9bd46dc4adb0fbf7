"""Duplicates: copies of pictures, near and exact, and bursts; which file of each to keep."""
