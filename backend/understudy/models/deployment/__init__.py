"""The tables of what should be live, and of the servers that follow it."""
