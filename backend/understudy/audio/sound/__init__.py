"""Prepare a recording's samples as the author of a model prepared them for training."""
