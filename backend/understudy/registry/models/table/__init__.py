"""The rows of `ml_models`: read, listed, found by name, shown."""
