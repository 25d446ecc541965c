"""The backbones that a person has installed beside the built-in YAMNet."""
