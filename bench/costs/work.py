"""Kinds of work that a run does, each by what decides how long it takes.

No word of it enters a digest: two machines that agree on every result disagree on every cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench import channels
from bench.adaptations.chains import Parts
from bench.parameters import Plain
from bench.plan.cells import Cell
from bench.plan.chosen import Chosen
from bench.plan.nouns import Cloaking, View

STAGES: Final[dict[str, str]] = {
    "start": "start and look up",
    "cloak": "cloak",
    "measure": "cloak",
    "detect": "detect and embed",
    "read": "detect and embed",
    "embed": "detect and embed",
    "residuals": "detect and embed",
    "train": "train adaptations",
    "denoise": "train adaptations",
    "answer": "tune and judge attackers",
    "attack": "tune and judge attackers",
}
"""Kind of work -> the stage that an estimate adds it to, in the order of a run."""

DECISIVE: Final[dict[str, tuple[str, ...]]] = {
    "cloak": ("defense",),
    "detect": ("detector",),
    "embed": ("encoder",),
    "train": ("ways",),
    "denoise": ("steps",),
    "answer": ("attacker",),
    "attack": ("attacker",),
}
"""Kind of work -> what has to be the same for one measurement to say anything of another."""


@dataclass(frozen=True)
class Work:
    """One piece of work, which is done once or many times.

    Attributes:
        kind: A key of `STAGES`.
        noun: What decides how long it takes, by name.
        size: How many photos each piece has: 1 where a piece is one photo.
    """

    kind: str
    noun: Mapping[str, Plain]
    size: int = 1


def starting() -> Work:
    """Making the keys of one cell: for the first one, all code is read."""
    return Work("start", {})


def cloaking(what: Cloaking, dataset: str) -> Work:
    """Cloaking one photo: it is read, changed, encoded and stored."""
    parameters: dict[str, Plain] = _parameters(what.defense)
    surrogates: list[Plain] = [card.name for card in what.surrogates]
    noun: dict[str, Plain] = {"defense": what.defense.name, "parameters": parameters}
    noun |= {"surrogates": surrogates, "budget": what.budget.kind, "dataset": dataset}
    return Work("cloak", noun)


def measuring(dataset: str) -> Work:
    """Measuring what a cloak changed in one photo."""
    return Work("measure", {"dataset": dataset})


def detecting(dataset: str, detector: str, channel: str = "none", *, decoded: bool = False) -> Work:
    """Finding the face in one photo.

    Args:
        dataset: The data set's name.
        detector: The detector's name.
        channel: What the photo goes through before.
        decoded: Whether the photo is in memory; otherwise it is read first.
    """
    return Work("detect", {"dataset": dataset, "detector": detector, "channel": channel, "decoded": decoded})


def reading(dataset: str, channel: str) -> Work:
    """Reading one photo again in which the face is known."""
    return Work("read", {"dataset": dataset, "channel": channel})


def embedding(encoder: str, view: View) -> Work:
    """Embedding one face, with one network of a view."""
    views = Parts.of(view.adaptation.plugin).views
    looks = views.random if views is not None else 0
    return Work("embed", {"encoder": encoder, "looks": looks, "precision": view.precision})


def residuals(dataset: str) -> Work:
    """Taking the figures of one photo by which cloaks are recognised."""
    return Work("residuals", {"dataset": dataset})


def training(encoder: str, view: View) -> Work:
    """Training one network of a view further."""
    ways: list[Plain] = [way.name for way in Parts.of(view.adaptation.plugin).training]
    return Work("train", {"ways": ways, "encoder": encoder, "parameters": _parameters(view.adaptation)})


def denoising(view: View) -> Work:
    """Training a denoiser."""
    learner = channels.learner(channels.purifier(view.channel))
    return Work("denoise", {"steps": None if learner is None else learner.steps})


def answering(cell: Cell, photos: int) -> Work:
    """One answer of an attacker about a whole collection.

    Args:
        cell: The cell.
        photos: How many photos the collection has.
    """
    return Work("answer", _attacker(cell), photos)


def attacking(cell: Cell, photos: int, *, tuned: bool, met: bool) -> Work:
    """What a cell takes besides: tuning, judging, and looking results up.

    Args:
        cell: The cell.
        photos: How many photos the collection and the calibration people have.
        tuned: Whether the attacker was tuned for another cell before.
        met: Whether another cell had the same view before.
    """
    view = cell.view
    noun = _attacker(cell) | {"level": cell.attack.level, "second_step": cell.attack.second_step}
    noun |= {"adaptation": view.adaptation.name, "members": len(view.members), "tuned": tuned, "met": met}
    return Work("attack", noun, photos)


def _attacker(cell: Cell) -> dict[str, Plain]:
    attacker = cell.attack.attacker
    return {"attacker": attacker.name, "parameters": _parameters(attacker)}


def _parameters(chosen: Chosen) -> dict[str, Plain]:
    return telling(chosen.parameters)


def telling(parameters: Mapping[str, Plain]) -> dict[str, Plain]:
    """Parameters that tell two costs apart; lists, such as candidates for a threshold, are left out."""
    return {name: value for name, value in parameters.items() if not isinstance(value, list | dict)}
