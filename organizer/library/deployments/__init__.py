"""Deployments: where and when cameras stood, and the shifts of their clocks."""
