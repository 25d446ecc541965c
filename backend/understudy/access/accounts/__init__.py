"""Use-cases on people, the keys of machines, and sessions."""
