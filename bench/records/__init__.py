"""The records of cells, and the files that they lie in."""
