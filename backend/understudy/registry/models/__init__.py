"""Rows of `ml_models`, of the file records beside them, and of the history."""
