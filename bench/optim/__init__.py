"""The cloaking engine."""
