"""Pairs of neighbours: what tells two photos of one person from photos of two, and a classifier of it."""
