"""What an attacker achieved on one corpus: labels or names in, figures out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.attack.asking import TOP
from bench.attack.corpus import Corpus
from bench.metrics import clustering, identification, retrieval
from bench.metrics.verification import RATES
from bench.recognition.embedded import Embedded
from bench.types import Flag, FlagCode, Labels, Mask, Score

WEAK = 0.8
"""A clean CFR (or clean rank-1 rate) below this is no evidence of protection: the attacker is weak."""
_CHANCE = 0x9E12  # keeps this draw apart from others of the same seed
MAIN = (
    "cfr",
    "cfr_strict",
    "cfr_link",
    "cfr_link_strict",
    "psr1",
    "psr5",
    "protection_rate",
    "protection_rate_5",
    "bcubed_f",
)
"""What controls are compared by."""
KEPT = 0.9
"""The same if the background's BCubed F is below this share of its clean value."""


@dataclass(frozen=True)
class Verdict:
    """The figures of one attack.

    Attributes:
        scores: by name.
        users: column -> one value a user.
        photos: column -> one value a released photo.
    """

    scores: dict[str, Score]
    users: dict[str, list[Any]] = field(default_factory=dict)
    photos: dict[str, list[Any]] = field(default_factory=dict)


def judge_clustering(labels: Labels, clean: Labels, corpus: Corpus, not_ok: Mask | None = None) -> Verdict:
    """Figures of a clustering.

    Args:
        labels: of the corpus as released.
        clean: of the same corpus with every photo clean.
        corpus: who is on it.
        not_ok: bool [released], photos whose outcome is not `ok`: then the rates have bounds.
    """
    linked = corpus.linked if corpus.linked.any() else None
    plain = clustering.cluster_formation(labels, corpus.owners, corpus.users, released=corpus.released)
    table = (
        plain
        if linked is None
        else clustering.cluster_formation(
            labels, corpus.owners, corpus.users, released=corpus.released, linked=linked
        )
    )
    strict = clustering.STRICT
    scores = [clustering.formation_rate(plain, name="cfr")]
    if linked is None:
        scores.append(clustering.formation_rate(plain, strict, name="cfr_strict"))
    else:
        # with labelled photos in the corpus even a perfect cluster has purity m / (m + a) by CFR's own
        # count, so that the strict rate is taken with CFR-link's, which counts all of the user's photos
        scores.append(clustering.formation_rate(table))
        scores.append(clustering.formation_rate(table, strict))
    if not_ok is not None and not_ok.any():
        scores = [_bounded(score, labels, corpus, not_ok) for score in scores]
    background = corpus.background
    scores += clustering.bcubed(corpus.owners, labels, of=~background)
    scores += clustering.pairwise(corpus.owners, labels, of=~background)
    scores.append(clustering.mean_best_match_f1(labels, corpus.owners, corpus.users))
    if background.any():
        scores += clustering.bcubed(corpus.owners, labels, of=background, suffix="_background", better="none")
        people = np.unique(corpus.owners[background])
        merged = clustering.contamination(clean, labels, corpus.owners, people)
        scores.append(
            merged if not_ok is None else _bounded_contamination(merged, clean, labels, corpus, not_ok)
        )
    scores += [
        clustering.v_measure(corpus.owners, labels),
        clustering.cluster_count(labels),
        clustering.noise_share(labels),
    ]
    sizes = dict(zip(*np.unique(labels[labels >= 0], return_counts=True), strict=True))
    users = {
        "support": table.support.tolist(),
        "purity": table.purity.tolist(),
        "coverage": table.coverage.tolist(),
        "formed": clustering.formed(plain).tolist(),
        "formed_strict": clustering.formed(table, strict).tolist(),
    }
    if linked is not None:
        users["formed_linked"] = clustering.formed(table).tolist()
    shown = labels[corpus.released].tolist()
    photos = {"cluster": shown, "cluster_size": [int(sizes.get(label, 0)) for label in shown]}
    if linked is not None:
        photos["cluster_linked"] = _labelled_beside(labels, corpus)
    return Verdict({score.name: score for score in scores}, users, photos)


def _labelled_beside(labels: Labels, corpus: Corpus) -> list[int]:
    """How many labelled photos of its user lie in the cluster of each released photo; 0 in noise."""
    named = Counter(zip(corpus.owners[corpus.linked].tolist(), labels[corpus.linked].tolist(), strict=True))
    shown = zip(corpus.owners[corpus.released].tolist(), labels[corpus.released].tolist(), strict=True)
    return [named[owner, label] if label >= 0 else 0 for owner, label in shown]


def _bounded(score: Score, labels: Labels, corpus: Corpus, not_ok: Mask) -> Score:
    """A formation rate with the bounds that not_ok photos leave it."""
    doubtful = np.zeros(labels.size, bool)
    doubtful[corpus.released] = not_ok
    bounds = clustering.formation_bounds(
        labels,
        corpus.owners,
        corpus.users,
        doubtful,
        released=corpus.released,
        # CFR's strict rate is CFR-link's where there are labelled photos, see `judge_clustering`
        linked=corpus.linked if score.name.startswith("cfr_link") else None,
        criterion=clustering.STRICT if score.name.endswith("_strict") else clustering.PROTOCOL,
    )
    return replace(score, bounds=bounds)


def _bounded_contamination(
    score: Score, clean: Labels, labels: Labels, corpus: Corpus, not_ok: Mask
) -> Score:
    """Contamination with the bounds that not_ok photos leave it."""
    if not not_ok.any():
        return score
    doubtful = np.zeros(labels.size, bool)
    doubtful[corpus.released] = not_ok
    people = np.unique(corpus.owners[corpus.background])
    bounds = clustering.contamination_bounds(clean, labels, corpus.owners, people, doubtful)
    return replace(score, bounds=bounds)


def judge_identification(
    ranked: Labels,
    corpus: Corpus,
    detected: Mask,
    not_ok: Mask | None = None,
) -> Verdict:
    """Figures of naming people.

    Args:
        ranked: int [probe, TOP] from `bench.attack.asking.ask_identifier`.
        corpus: who is on the photos.
        detected: bool [probe].
        not_ok: bool [released], photos whose outcome is not `ok`: then the rates have bounds. Where the
            released photos are the gallery, all probes of a user with such a photo are unsure.
    """
    truth = corpus.owners[corpus.probes]
    # where the gallery is cloaked the rate at which clean probes are missed has a name of its own
    names = (
        {1: "protection_rate", TOP: f"protection_rate_{TOP}"}
        if corpus.poisoned
        else {1: "psr1", TOP: f"psr{TOP}"}
    )
    doubtful = None
    if not_ok is not None and not_ok.any():
        unsure = corpus.owners[corpus.released][not_ok]
        doubtful = np.isin(truth, unsure) if corpus.poisoned else not_ok
    scores, by_user = {}, {}
    for k, called in names.items():
        score = identification.protection_success_rate(ranked, truth, k, detected=detected, name=called)
        if doubtful is not None:
            bounds = identification.protection_bounds(ranked, truth, k, doubtful, detected=detected)
            score = replace(score, bounds=bounds)
        scores[called] = score
        rates = identification.protection_by_user(ranked, truth, k, detected=detected)
        by_user[called] = list(rates.values())
    hit = ranked == truth[:, None]
    rank = np.where(hit.any(1), hit.argmax(1) + 1, 0)
    # photos of the tables are the released ones, which are not probes when they are the gallery
    return Verdict(scores, dict(by_user), {} if corpus.poisoned else {"rank": rank.tolist()})


def judge_retrieval(
    clean: Embedded,
    released: Embedded,
    corpus: Corpus,
    attackers_clean: Embedded,
    impostor: npt.NDArray[np.float64],
    not_ok: Mask | None = None,
) -> dict[str, Score]:
    """Four-cell retrieval, TAR@FAR and OPOM's PSR of the released photos, whatever the attacker.

    Args:
        clean: The users' photos as they were, one for each released photo.
        released: The users' photos as published.
        corpus: Who is on the photos.
        attackers_clean: The clean photos that the attacker holds; those of the background are distractors.
        impostor: float64 [pair], similarities of different calibration people.
        not_ok: bool [photo], released photos whose outcome is not `ok`: then the figures have bounds.
    """
    shown = corpus.released
    owners = corpus.owners[shown]
    others = attackers_clean.select(corpus.background[~shown]).of_faces
    cells = retrieval.four_cells(
        clean.or_nan, released.or_nan, owners, others, impostor=impostor, unsure=not_ok
    )
    short = {
        f"tar_far_{rate}": replace(cells[f"tar_far_{rate}_cloaked_clean"], name=f"tar_far_{rate}")
        for rate in RATES
    }
    if len(others):
        cells |= retrieval.single_mate_protection(
            released.or_nan, clean.or_nan, owners, others, unsure=not_ok
        )
    return cells | short


def permute(answers: Labels, seed: int) -> Labels:
    """The same answers (clusters, or rankings) dealt out to other photos: what chance gives."""
    draw = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, _CHANCE])))
    shuffled: Labels = draw.permutation(answers)
    return shuffled


def flags(scores: dict[str, Score], clean: dict[str, Score]) -> list[Flag]:
    """Why a cell is no evidence of protection, if it is none.

    Args:
        scores: of the released photos, by name.
        clean: of the same attack on the clean photos.
    """
    reasons = []
    for name, shown in (("cfr", "CFR"), ("cfr_link", "CFR-link")):
        if name in clean and clean[name].value < WEAK:
            reasons.append(f"clean {shown} below {WEAK:g}")
    key = "bcubed_f_background"
    if key in clean and key in scores and scores[key].value < KEPT * clean[key].value:
        reasons.append(f"background BCubed F below {KEPT:g} of its clean value")
    rate = clean.get("psr1") or clean.get("protection_rate")
    if rate is not None and 1 - rate.value < WEAK:
        reasons.append(f"clean rank-1 rate below {WEAK:g}")
    return [Flag(FlagCode.WEAK_ATTACKER, f"no evidence of protection ({reason})") for reason in reasons]


def main_scores(scores: dict[str, Score]) -> dict[str, Score]:
    """The figures that controls are compared by."""
    return {key: scores[key] for key in MAIN if key in scores}
