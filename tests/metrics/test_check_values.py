"""The protocol's check values: worlds with known cluster-formation rates, seen by a calibrated attacker."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from bench.attackers.dbscan import Dbscan

from bench.metrics import clustering as c

USERS, RELEASED, LINKED, BACKGROUND, PHOTOS = 40, 10, 5, 40, 12


class World:
    """40 users and 40 others as directions in 128 dimensions, and a calibrated DBSCAN."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        people = rng.normal(size=(2 * USERS + 20, 128))
        people /= np.linalg.norm(people, axis=1, keepdims=True)
        count = [RELEASED + LINKED] * USERS + [PHOTOS] * BACKGROUND
        self.owners = np.repeat(np.arange(USERS + BACKGROUND), count)
        place = np.concatenate([np.arange(k) for k in count])
        self.released = (self.owners < USERS) & (place < RELEASED)
        self.linked = (self.owners < USERS) & (place >= RELEASED)
        self.people = people
        self.rng = rng
        self.clean = self.photos(people[self.owners])
        calibration = np.repeat(np.arange(20), 10)
        tuning = self.photos(people[USERS + BACKGROUND + calibration])
        self.attacker = Dbscan().calibrated(tuning, calibration, c.bcubed_objective)

    def photos(self, directions: np.ndarray) -> np.ndarray:
        """Photos around directions: cosine within a person about .8."""
        noise = self.rng.normal(size=directions.shape) / math.sqrt(directions.shape[1])
        return (directions + 0.5 * noise).astype(np.float32)

    def rates(self, embeddings: np.ndarray) -> tuple[float, float]:
        """CFR and CFR-link of what the attacker makes of these embeddings."""
        labels = self.attacker.cluster(embeddings)
        users = np.arange(USERS)
        plain = c.cluster_formation(labels, self.owners, users, released=self.released)
        link = c.cluster_formation(labels, self.owners, users, released=self.released, linked=self.linked)
        return c.formation_rate(plain).value, c.formation_rate(link).value


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def test_check_value_clean(world: World) -> None:
    assert world.rates(world.clean) == (1.0, 1.0)


def test_check_value_every_photo_of_a_user_moved_by_the_same_offset(world: World) -> None:
    # Somewhere else, but together: not re-identified, and still a cluster.
    offsets = np.random.default_rng(6).normal(size=(USERS, 128)) / math.sqrt(128) * 3
    moved = world.clean.copy()
    moved[world.released] += offsets[world.owners[world.released]]
    assert world.rates(moved) == (1.0, 0.0)


def test_check_value_scattered(world: World) -> None:
    rng = np.random.default_rng(8)
    scattered = world.clean.copy()
    scattered[world.released] = rng.normal(size=(USERS * RELEASED, 128))
    assert world.rates(scattered) == (0.0, 0.0)


def test_check_value_moved_onto_a_background_person_with_at_least_m_photos(world: World) -> None:
    merged = world.clean.copy()
    targets = USERS + world.owners[world.released] % BACKGROUND
    merged[world.released] = world.photos(world.people[targets])
    assert PHOTOS >= RELEASED
    assert world.rates(merged) == (0.0, 0.0)
    # The people they were moved onto pay for it: best-match F1 1 -> 2*12/(22+12) = .71.
    before, after = (world.attacker.cluster(x) for x in (world.clean, merged))
    background = np.arange(USERS, USERS + BACKGROUND)
    assert c.contamination(before, after, world.owners, background).value == 1.0


def test_a_label_permutation_is_chance(world: World) -> None:
    labels = world.attacker.cluster(world.clean)
    shuffled = np.random.default_rng(9).permutation(labels)
    users = np.arange(USERS)
    assert c.cluster_formation_rate(shuffled, world.owners, users, released=world.released).value == 0.0


def test_the_stored_table_recomputes_every_threshold(world: World) -> None:
    labels = world.attacker.cluster(world.clean)
    table = c.cluster_formation(labels, world.owners, np.arange(USERS), released=world.released)
    for coverage in (0.1, 0.5, 0.95):
        direct = c.cluster_formation_rate(
            labels, world.owners, np.arange(USERS), released=world.released, coverage=coverage
        )
        assert c.formation_rate(table, replace(c.PROTOCOL, coverage=coverage)).value == direct.value
