"""Compares the answers of a pipeline with the examples of its author."""
