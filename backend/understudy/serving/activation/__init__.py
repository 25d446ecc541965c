"""Activation of a model: preparation, the commit, the operation a caller follows."""
