"""Conversion of a loaded model to ONNX, and the proof that both compute the same."""
