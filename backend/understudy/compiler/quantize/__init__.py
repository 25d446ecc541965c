"""Quantization of an ONNX graph to int8."""
