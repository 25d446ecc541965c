"""Policies of activations: a second person, freezes, confirmation."""
