"""Ingest: read, embed and commit images, assign them to clusters, find novel clusters."""
