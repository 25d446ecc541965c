"""Calibration and comparison of an int8 variant."""
