"""Simulated strangers against real ones whom the model never saw: a user has as many look-alikes.

The real ones are drawn by the renderer, a thousand of them, or are people of LFW. Calibration people, users
and strangers are different people. The model is fitted to the calibration people alone; the users are present
when strangers are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from bench import encoders, registry
from bench.attack.distractors import Crowd, Present, draw, fit
from bench.machine.progress import Silent
from bench.metrics.clustering import bcubed_objective, cluster_formation_rate
from bench.photos.collection import clean_photos
from bench.recognition.observer import Observer
from bench.store.cache import Cache
from bench.training.figures import embedded, perturbed
from bench.training.photos import Order, Photos, population
from bench.training.photos import draw as draw_photos
from bench.types import Folders, Score

pytestmark = pytest.mark.slow

USERS = 20
TAIL = 0.15
"""How far off, as a share, the cosine that one in 1,000 or 10,000 pairs exceeds may be."""
HIDDEN = 0.8
"""How far a stand-in for a cloak moves a photo, as a share of its length."""

Embedded = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
"""[photo, dimension], and who is on each."""


@dataclass(frozen=True)
class People:
    """What one encoder sees of three groups of people.

    Attributes:
        users: The people who have to have look-alikes.
        calibration: Those whom the model is fitted to.
        strangers: The real ones.
    """

    users: Embedded
    calibration: Embedded
    strangers: Embedded

    @cached_property
    def crowd(self) -> Crowd:
        """The fitted model."""
        return fit(*self.calibration)

    def simulated(self, present: Present | None) -> Embedded:
        """As many strangers as there are real ones, with as many photos each."""
        people = np.unique(self.strangers[1]).size
        return draw(self.crowd, people, round(self.strangers[1].size / people), 0, present)

    @cached_property
    def look_alikes(self) -> Embedded:
        """Simulated strangers, the users present."""
        return self.simulated(Present.of(*self.users))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Photos]:
    """Photos of 20 users, of 100 calibration people and of 1,000 strangers."""
    first, where = population("test")[0], tmp_path_factory.mktemp("drawn")
    orders = Order(first, USERS, 6), Order(first + USERS, 100, 5), Order(first + USERS + 100, 1000, 3)
    return [draw_photos(order, where / str(order.first)) for order in orders]


@pytest.fixture(
    scope="module",
    params=["synth-inc", "synth-ir", "synth-vit", pytest.param("mobileface_v3", marks=pytest.mark.real)],
)
def people(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> People:
    """The people, as one encoder sees them."""
    if request.param == "mobileface_v3":
        return of_lfw(request.param, request.getfixturevalue("real_folders"))
    network = encoders.load(request.param, Folders(home=str(tmp_path_factory.mktemp("home"))))
    seen = [perturbed(photos, seed=0) for photos in request.getfixturevalue("drawn")]
    users, calibration, strangers = (
        (embedded(network.embed, one.photos.pixels, one.landmarks), one.photos.people) for one in seen
    )
    return People(users, calibration, strangers)


def of_lfw(encoder: str, folders: Folders) -> People:
    """20 people with 6 photos, then 300 to fit to and 300 strangers with up to 2 photos each."""
    data = registry.make("datasets", "lfw")[1].open(folders)
    catalogue = data.catalogue()
    photos: dict[str, list[str]] = {}
    for photo, person in zip(catalogue.photos, catalogue.identities, strict=True):
        photos.setdefault(person, []).append(photo)
    many = [person for person, theirs in photos.items() if len(theirs) >= 6][:USERS]
    others = [person for person in photos if person not in many]
    # people with several photos are few: they are spread over both groups
    others = sorted(others, key=lambda person: -len(photos[person]))[:600]
    observer = Observer.on("cpu", folders, Cache(Path(folders.home)), Silent())

    def embedded_people(names: list[str], each: int) -> Embedded:
        theirs = [(photo, number) for number, name in enumerate(names) for photo in photos[name][:each]]
        taken = clean_photos(data, [photo for photo, _ in theirs], catalogue.boxes)
        seen = observer.observe(taken, [encoders.ready(encoder, folders)], "people").embeddings[encoder]
        return seen.of_faces, np.array([number for _, number in theirs])[seen.has_face]

    return People(embedded_people(many, 6), embedded_people(others[::2], 2), embedded_people(others[1::2], 2))


def tail(users: Embedded, strangers: Embedded) -> list[float]:
    """The cosines that one in 1,000 and one in 10,000 pairs of their photos exceed."""
    return [float(np.quantile(users[0] @ strangers[0].T, 1 - share)) for share in (1e-3, 1e-4)]


def nearest(users: Embedded, strangers: Embedded) -> float:
    """The mean over photos of the cosine to the nearest stranger."""
    return float((users[0] @ strangers[0].T).max(axis=1).mean())


def rate(users: Embedded, calibration: Embedded, strangers: Embedded, attacker: str) -> Score:
    """CFR among the strangers of an attacker tuned on the calibration people."""
    _, plugin = registry.make("attackers", attacker)
    tuned = plugin.calibrated(*calibration, bcubed_objective)
    owners = np.concatenate([users[1], USERS + strangers[1]])
    released = np.arange(owners.size) < users[1].size
    labels = tuned.cluster(np.concatenate([users[0], strangers[0]]))
    return cluster_formation_rate(labels, owners, np.arange(USERS), released=released)


def test_users_have_as_many_look_alikes_as_among_real_strangers(people: People) -> None:
    real = tail(people.users, people.strangers)
    assert tail(people.users, people.look_alikes) == pytest.approx(real, rel=TAIL)
    # whoever is not present when strangers are drawn has too few: that is what the second part is for
    absent = tail(people.users, people.simulated(None))
    assert all(one < 0.95 * other for one, other in zip(absent, real, strict=True))


def test_the_nearest_stranger_of_a_photo_is_as_near(people: People) -> None:
    real = nearest(people.users, people.strangers)
    assert nearest(people.users, people.look_alikes) == pytest.approx(real, rel=TAIL)


def test_strangers_are_as_alike_as_real_ones_with_people_present(people: People) -> None:
    figures = []
    for rows, who in (people.strangers, people.look_alikes):
        some = slice(0, 1500)
        alike = (rows[some] @ rows[some].T)[np.triu(who[some, None] != who[some], 1)]
        figures.append([alike.std(), *np.quantile(alike, [0.999, 0.9999])])
    assert figures[1] == pytest.approx(figures[0], rel=TAIL)


@pytest.mark.parametrize("attacker", ["dbscan", "hdbscan"])
def test_they_protect_as_much_as_real_ones(attacker: str, people: People) -> None:
    # a stand-in for a cloak: every photo is moved, in a direction of its own
    noise = np.random.default_rng(0).normal(size=people.users[0].shape)
    moved = people.users[0] + HIDDEN * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    hidden = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32), people.users[1]
    for photos in (people.users, hidden):
        real = rate(photos, people.calibration, people.strangers, attacker)
        drawn = rate(photos, people.calibration, people.look_alikes, attacker)
        assert max(real.low, drawn.low) <= min(real.high, drawn.high), (real.value, drawn.value)
