"""Names of kinds of charts."""

from __future__ import annotations

from typing import Final

NAMES: Final = ("frontier", "heatmap", "dose", "sweep", "distractors", "steps")

PAPER: Final = "paper"
"""Stands for the figures that a paper needs."""
