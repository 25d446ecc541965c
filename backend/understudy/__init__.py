"""Understudy: the place where a team keeps, rehearses and swaps its sound-event models."""

__version__ = "0.1.0"
