"""Shapes of what the API and the command line say about access."""
