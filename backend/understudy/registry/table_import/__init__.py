"""Copies the rows of a foreign table of models into `ml_models`."""
