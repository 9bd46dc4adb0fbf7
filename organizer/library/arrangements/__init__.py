"""Arrangements that were written: the active ones, their journals, and where their files are."""
