"""The encoders: one family per file, one card per set of weights."""
