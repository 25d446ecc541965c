"""Runs the server as a Ray Serve application: each replica is the whole application, and follows the registry."""
