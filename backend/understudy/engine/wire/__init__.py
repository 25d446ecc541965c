"""The messages between the server's process and its workers, and their checks."""
