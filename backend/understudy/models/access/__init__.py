"""The tables of people, keys and sessions."""
