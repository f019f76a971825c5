"""The purposes of identity numbers: which numbers serve the benchmark, and which the encoders' training.

The ranges are disjoint, so that no person whom an encoder was trained on appears in a benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BENCHMARK = "benchmark"

POPULATIONS: Mapping[str, range] = MappingProxyType(
    {
        BENCHMARK: range(0, 1_000_000),
        "train-ir": range(1_000_000, 1_100_000),
        "train-inc": range(1_100_000, 1_200_000),
        "train-vit": range(1_200_000, 1_300_000),
        "validation": range(2_000_000, 3_000_000),
        "test": range(3_000_000, 4_000_000),
    }
)
"""Population -> identity numbers. Only `benchmark` can be drawn by a benchmark run."""


def numbers(population: str, people: int) -> range:
    """The first identity numbers of a population.

    Raises:
        KeyError: for an unknown population.
        ValueError: for fewer people than one, or more than the population has.
    """
    everyone = POPULATIONS[population]
    if not 1 <= people <= len(everyone):
        raise ValueError(f"{people} people of {population}: it has 1 to {len(everyone)}")
    return everyone[:people]
