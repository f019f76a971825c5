"""Verification: how well an encoder tells people apart (`bench verify`, docs/verification.md)."""
