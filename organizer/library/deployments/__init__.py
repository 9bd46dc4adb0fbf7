"""Deployments: where cameras stood, and whether their clocks were right."""
