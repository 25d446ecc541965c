"""Turn samples into the features that a model takes."""
