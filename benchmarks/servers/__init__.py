"""The peers, each a few lines around the same ear; every module runs in the environment of its own peer."""
