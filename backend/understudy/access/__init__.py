"""Decides who may use the server, and for what."""
