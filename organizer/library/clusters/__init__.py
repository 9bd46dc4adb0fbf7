"""The current clusters as objects, with their members and names."""
