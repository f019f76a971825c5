"""Thresholds are tuned for what is counted: CFR of the people who are known, in a crowd sorted well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from bench.attack.calibration import Calibration, halved
from bench.attack.objective import KEPT, crowd_f, formed
from bench.attack.own_cloaks import on_own_cloaks
from bench.attack.tuning import tune
from bench.metrics.clustering import bcubed
from bench.recognition.embedded import Embedded
from bench.types import Embeddings, Gallery, Labels, PluginCard

KNOWN, EACH, CROWD = 4, 4, 20
OWNERS = np.concatenate([np.repeat(np.arange(KNOWN), EACH), np.repeat(np.arange(CROWD) + KNOWN, 2)])
ALONE = np.full(OWNERS.size, -1)


def people(has_face: Any = None) -> Calibration:
    """Four people with four photos and a crowd of twenty with two each."""
    vectors = np.eye(OWNERS.size, dtype=np.float32)
    shown = np.ones(OWNERS.size, bool) if has_face is None else has_face
    return Calibration(Embedded(vectors, shown), OWNERS, np.arange(KNOWN))


def guess(known: int, crowd_right: int) -> Labels:
    """The first `known` people in a cluster each, and the first `crowd_right` of the crowd; noise besides."""
    right = (known > OWNERS) | ((OWNERS >= KNOWN) & (KNOWN + crowd_right > OWNERS))
    return np.where(right, OWNERS, ALONE)


@dataclass(frozen=True)
class Candidates:
    """A clusterer whose candidates are written down."""

    card: ClassVar[PluginCard] = PluginCard(summary="", source="")

    guesses: tuple[Any, ...]
    chosen: int | None = None

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Candidates:
        scores = [objective(one[: len(people)], people) for one in self.guesses]
        return Candidates(self.guesses, int(np.argmax(scores)))

    def cluster(self, embeddings: Embeddings) -> Labels:
        assert self.chosen is not None
        labels: Labels = self.guesses[self.chosen][: len(embeddings)]
        return labels


def chosen(*guesses: Labels) -> int:
    picked: int = tune(Candidates(guesses), people()).attacker.chosen
    return picked


def test_the_largest_rate_wins_though_another_sorts_the_crowd_better() -> None:
    # the crowd of the first is perfect, of the second nearly so: 18 of 20 people whole, 2 in noise
    assert chosen(guess(0, 20), guess(4, 18), guess(2, 19)) == 1


def test_a_candidate_that_loses_the_crowd_does_not_count() -> None:
    everybody_together = np.where(OWNERS >= KNOWN, KNOWN, OWNERS)
    assert formed(everybody_together, OWNERS, people()).value == 1
    assert crowd_f(everybody_together, OWNERS, people()) < KEPT
    assert chosen(everybody_together, guess(1, 20)) == 1
    # where every candidate is alike, none is ruled out
    assert chosen(everybody_together, everybody_together) == 0


def test_of_equal_rates_the_better_sorted_crowd_wins() -> None:
    assert chosen(guess(2, 18), guess(2, 20), guess(2, 19)) == 1
    # but never more than one more person
    assert chosen(guess(2, 20), guess(3, 17)) == 1


def test_what_every_candidate_came_to_is_written_down_once() -> None:
    tuned = tune(Candidates((guess(0, 20), guess(4, 18))), people())
    assert tuned.rates == [0.0, 1.0]
    in_crowd = OWNERS >= KNOWN
    assert tuned.crowd == [bcubed(OWNERS, one, of=in_crowd).f.value for one in (guess(0, 20), guess(4, 18))]


def test_without_a_crowd_everybody_is_sorted() -> None:
    few = OWNERS < KNOWN
    alone = Calibration(people().photos.select(few), OWNERS[few], np.arange(KNOWN))
    whole = guess(3, 0)[few]
    assert crowd_f(whole, OWNERS[few], alone) == bcubed(OWNERS[few], whole).f.value


def test_a_photo_without_a_face_stays_in_the_denominator() -> None:
    # three of the first person's four photos have no face: one photo is no cluster, however it is labelled
    has_face = np.ones(OWNERS.size, bool)
    has_face[:3] = False
    seen = people(has_face)
    assert formed(guess(4, 20)[has_face], seen.people, seen).value == 3 / 4
    assert formed(guess(4, 20)[has_face], seen.people, seen).n == KNOWN


class TestOwnCloaks:
    def test_of_a_clusterer_are_the_rate_and_the_crowd(self) -> None:
        attacker = Candidates((guess(3, 20),), 0)
        figures = on_own_cloaks(attacker, people(), people(), poisoned=False)
        assert figures["cfr"].value == 3 / 4
        assert (figures["cfr"].n, figures["bcubed_f"].value, figures["bcubed_f"].n) == (KNOWN, 1.0, 2 * CROWD)

    @pytest.mark.parametrize("poisoned", [False, True])
    def test_an_identifier_looks_for_cloaks_among_clean_photos_or_the_other_way_round(
        self, poisoned: bool
    ) -> None:
        """Clean photos have rows of no negative number, cloaked ones of no positive one."""

        @dataclass(frozen=True)
        class Watching:
            card: ClassVar[PluginCard] = PluginCard(summary="", source="")

            def rank(self, probes: Embeddings, gallery: Gallery, top: int) -> Labels:
                asked.append((probes, gallery.embeddings, gallery.people))
                return np.where(np.arange(top) == 0, gallery.people[0], -1) + np.zeros((len(probes), 1), int)

        asked: list[tuple[Any, Any, Any]] = []
        clean = people()
        cloaks = np.where((OWNERS < KNOWN)[:, None], -clean.photos.vectors, clean.photos.vectors)
        cloaked = Calibration(Embedded(cloaks, clean.photos.has_face), OWNERS, np.arange(KNOWN))
        figures = on_own_cloaks(Watching(), cloaked, clean, poisoned=poisoned)
        ((probes, gallery, owners),) = asked
        assert len(probes) == KNOWN * EACH // 2
        assert (probes.min() < 0) != poisoned
        assert (gallery[owners < KNOWN].min() < 0) == poisoned
        assert gallery[owners >= KNOWN].min() >= 0
        # one of four people was named, always: three of four are protected
        (score,) = figures.values()
        assert (score.name, score.value) == ("protection_rate" if poisoned else "psr1", 3 / 4)


def test_half_of_each_persons_photos_are_enrolled() -> None:
    assert halved(np.array([7, 3, 7, 3, 7, 9])).tolist() == [False, False, False, True, True, False]
