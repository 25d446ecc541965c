"""Compiled forms of registered models, made in the background or on demand."""
