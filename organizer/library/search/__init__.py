"""Search by a photo or by a text."""
