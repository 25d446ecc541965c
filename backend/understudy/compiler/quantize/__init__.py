"""Quantizes an ONNX graph to int8."""
