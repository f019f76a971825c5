"""Names of kinds of charts."""

from __future__ import annotations

from typing import Final

EMBEDDING: Final = "embedding"
"""The chart of one cell, whose embeddings are computed again."""

NAMES: Final = ("frontier", "heatmap", "dose", "sweep", EMBEDDING, "distractors", "steps")

PAPER: Final = "paper"
"""Stands for the figures that a paper needs."""
