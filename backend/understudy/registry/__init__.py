"""The registered models and the decision which of them should be live."""
