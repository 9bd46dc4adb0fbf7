"""Clustering: from vectors and constraints to clusters that keep their ids."""
