"""Loads Keras models of both generations."""
