"""Activation of a model: preparation, commit, and the operation that a caller polls."""
