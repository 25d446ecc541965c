"""Understudy, its in-process ceiling and its peers, side by side on one machine."""
