"""Records that are handed in: packed, opened with care, and recomputed."""
