"""Predictions by the live model or by a named one."""
