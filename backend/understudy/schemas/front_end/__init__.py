"""The parts of a spec that say how a recording becomes the model's input."""
