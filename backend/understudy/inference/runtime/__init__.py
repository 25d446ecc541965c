"""ONNX Runtime sessions and graphs of tensors."""
