"""The metrics: pure functions of arrays."""
