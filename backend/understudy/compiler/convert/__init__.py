"""Converts a loaded model to ONNX and proves that both compute the same."""
