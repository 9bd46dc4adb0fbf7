"""The photos that paths in a table or in results name."""
