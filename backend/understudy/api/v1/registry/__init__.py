"""Registered models, their files and their history, over HTTP."""
