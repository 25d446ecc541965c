"""The documented table's path."""
