"""The history of models and its chain of hashes."""
