"""Passwords, secrets, and what a request shows to say who sends it."""
