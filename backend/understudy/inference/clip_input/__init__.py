"""From a recording to the items of a model's input."""
