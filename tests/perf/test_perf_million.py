"""A million photos, clustered by the graph methods, each in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

PHOTOS, DIMENSIONS = 1_000_000, 128
PARAMETERS: dict[str, dict[str, float]] = {
    "dbscan": {"eps": 0.5},
    "chinese-whispers": {"eps": 0.5},
    "louvain": {"eps": 0.5, "penalty": 0.001},
    "components": {"eps": 0.4},
}
LIMIT = 4096
"""MiB, the embeddings and all libraries among them."""

CLUSTER = """
import json, sys, time
import numpy as np
from sklearn.metrics import adjusted_rand_score
from bench import registry
name, parameters, photos, dimensions = sys.argv[1], json.loads(sys.argv[2]), *map(int, sys.argv[3:])
rng = np.random.default_rng(0)
who = np.repeat(np.arange(photos // 10), 10)
people = rng.standard_normal((photos // 10, dimensions), dtype=np.float32)
rows = np.empty((photos, dimensions), np.float32)
for start in range(0, photos, 10_000):
    some = slice(start, start + 10_000)
    rows[some] = people[who[some]] + 0.6 * rng.standard_normal((10_000, dimensions), dtype=np.float32)
    rows[some] /= np.linalg.norm(rows[some], axis=1, keepdims=True)
began = time.process_time()
labels = registry.load("attackers", name)(**parameters, probes=32).cluster(rows)
print(time.process_time() - began)
print(adjusted_rand_score(who, labels))
"""


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_million_photos(benchmark: Any, peak_of: Callable[..., tuple[int, str]], name: str) -> None:
    benchmark.group = f"{PHOTOS} x {DIMENSIONS}"
    about = (name, json.dumps(PARAMETERS[name]), PHOTOS, DIMENSIONS)
    peak, said = benchmark.pedantic(peak_of, args=(CLUSTER, *about), rounds=1)
    seconds, agreement = map(float, said.split())
    benchmark.extra_info.update(processor_seconds=seconds, peak_mib=peak, adjusted_rand=agreement)
    assert agreement > 0.99
    assert peak < LIMIT
