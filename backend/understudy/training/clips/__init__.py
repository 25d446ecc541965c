"""Recordings to learn from and to show: synthesized, changed, and written as examples."""
