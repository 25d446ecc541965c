"""Requests and answers about registered models and their files."""
