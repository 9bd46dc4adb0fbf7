"""Clusters written out as folders: plan, apply, undo, read-back."""
