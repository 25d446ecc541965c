"""Limits of the connections of `understudy serve`: their number, the size of heads, and time."""
