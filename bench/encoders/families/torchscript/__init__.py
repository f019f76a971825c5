"""Encoders that come as a TorchScript file."""
