"""Connected components: networkx's, at every distance."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from bench import registry
from bench.errors import UserError

Components = registry.load("attackers", "components")


@pytest.mark.parametrize("eps", [0.02, 0.1, 0.3, 0.6])
def test_the_partition_is_networkxs(eps: float) -> None:
    rows = np.random.default_rng(1).normal(size=(300, 5)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    near = nx.Graph(np.argwhere(1 - rows @ rows.T <= eps).tolist())
    expected = {frozenset(c) for c in nx.connected_components(near) if len(c) > 1}
    labels = Components(eps=eps).cluster(rows)
    assert {frozenset(np.flatnonzero(labels == c).tolist()) for c in range(labels.max() + 1)} == expected
    assert (labels == -1).sum() == 300 - sum(map(len, expected))


def test_a_chain_is_one_person_and_a_photo_by_itself_is_noise() -> None:
    angle = np.radians([0, 10, 20, 30, 90])
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    labels = Components(eps=float(1 - np.cos(np.radians(10.5)))).cluster(rows)
    assert labels.tolist() == [0, 0, 0, 0, -1]


def test_a_distance_out_of_range_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match="components: eps 3 is not a cosine distance"):
        Components(eps=3).cluster(np.eye(2, dtype=np.float32))
