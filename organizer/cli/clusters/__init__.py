"""``organizer clusters``: list and show clusters, and decide about them and their images."""
