"""One ONNX file for everything: raw columns in, labels and probabilities out."""
