"""Recluster: from vectors and a person's constraints to clusters with stable ids."""
