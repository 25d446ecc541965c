"""Finds the way from recordings to a model's input by the answers of its author's own script."""
