"""The import path of the documented table."""
