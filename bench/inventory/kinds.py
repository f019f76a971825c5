"""The kinds of names that `bench list` knows. The command's help reads them, so nothing is imported here."""

from __future__ import annotations

KINDS = (
    "defenses",
    "attackers",
    "datasets",
    "encoders",
    "detectors",
    "scenarios",
    "levels",
    "second-steps",
    "adaptations",
    "suites",
    "budgets",
    "channels",
)
"""What a list can be asked for, in the order of printing."""
