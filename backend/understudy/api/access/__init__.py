"""The rights of routes, and the keys and cookies of requests."""
