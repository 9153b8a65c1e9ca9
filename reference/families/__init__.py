"""Tiny random checkpoints of every model family in the layout of their Hub repositories."""
