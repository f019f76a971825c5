"""Encoders that come as an ONNX file."""
