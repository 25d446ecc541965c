"""Google's YAMNet: its weights, its ONNX network, its class names, its installation."""
