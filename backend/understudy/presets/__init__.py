"""Specs under a name: the usual ways from a recording to a model's input, one JSON file each."""
