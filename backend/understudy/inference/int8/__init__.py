"""Calibrate an int8 variant and compare it with the float32 model."""
