"""Arranged folders read back: compare, infer, apply, report."""
