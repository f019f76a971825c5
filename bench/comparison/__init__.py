"""Two measurements of the same users, cell by cell (`bench compare`, docs/compare.md)."""
