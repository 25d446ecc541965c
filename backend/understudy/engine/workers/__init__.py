"""The server's side of the worker processes: starts them, gives them requests, and replaces those that die."""
