"""The number of windows that one run of a graph takes."""

MAX_BATCH = 16  # larger runs are slower
