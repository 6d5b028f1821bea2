"""Draws and words what the projections know."""
