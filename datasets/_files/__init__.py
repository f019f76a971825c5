"""Data sets that are files in a folder: where the photos lie, what they are, where the faces on them are."""
