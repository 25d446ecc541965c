"""Differences of an adopted table from the documented one, each noted or repaired by one module."""
