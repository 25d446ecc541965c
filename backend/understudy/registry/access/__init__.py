"""Reads and writes the people, keys, identities and sessions; all their SQL."""
