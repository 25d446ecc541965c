"""Examples of registered models: stored, run through the served pipeline, and required before a model goes live."""
