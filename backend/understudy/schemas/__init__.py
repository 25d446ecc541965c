"""Shapes that cross a boundary: requests, answers, specs and reports."""
