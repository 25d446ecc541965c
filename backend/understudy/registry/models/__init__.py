"""Rows of `ml_models`: registration, changes, lists, history."""
