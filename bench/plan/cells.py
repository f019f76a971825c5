"""What a run is made of: cells, completely resolved and digested before anything runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache

from bench import encoders
from bench.parameters import Plain
from bench.plan.axes import AXES
from bench.plan.chosen import Chosen
from bench.plan.knowledge import Knowledge, knowledge_of_all
from bench.plan.nouns import Attack, Cloaking, Noun, View
from bench.plan.rows import Axis, Of
from bench.plan.scenarios import PROTOCOL
from bench.plan.spec import RunSpec
from bench.plan.split import Split
from bench.protocols import Dataset
from bench.store.digests import Canonical, digest
from bench.types import EncoderCard

DEFAULTS_NOT_IN_DIGEST: dict[str, Plain] = {row.name: row.before for row in AXES.values() if row.younger}
"""Options that are younger than the first published digests: at these values they are in no digest."""


@dataclass(frozen=True)
class Cell(Noun):
    """One cell, resolved.

    Attributes:
        dataset: The data set's name, parameters and digest.
        scenario: The scenario's name and the sizes of its parts.
        split_digest: A digest of who plays which part, by content.
        publisher_detector: Everything that decides which faces a defense is given, but for the device; the
            attacker's own detector is in `view`.
        cloaking: What is published.
        view: What the attacker sees.
        attack: What the attacker does.
        repetition: The number of the split that the cell belongs to, from 0.
        lpips_weights: The sha256 of the weights that a budget of LPIPS is judged with; empty for any other.
        digest: A digest of every field that decides the cell's result.
    """

    dataset: dict[str, Plain]
    scenario: dict[str, Plain]
    split_digest: str
    publisher_detector: dict[str, Plain]
    cloaking: Cloaking
    view: View
    attack: Attack
    repetition: int = 0
    lpips_weights: str = ""
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the digest once."""
        cloaking, view, attack = self.cloaking, self.view, self.attack
        younger = {row.name: self.value_of(row) for row in AXES.values() if row.younger}
        value = digest(
            PROTOCOL,
            self.dataset,
            self.scenario,
            self.split_digest,
            cloaking.defense.written,
            _identities(cloaking, cloaking.surrogates),
            str(cloaking.budget),
            view.channel,
            _identities(view, (view.encoder, *view.members)),
            attack.attacker.written,
            self.publisher_detector,
            cloaking.seed,
            {name: value for name, value in younger.items() if value != DEFAULTS_NOT_IN_DIGEST[name]},
            *([self.lpips_weights] if self.lpips_weights else []),
            *([view.detector] if view.detector != self.publisher_detector else []),
        )
        object.__setattr__(self, "digest", value)

    def value_of(self, row: Axis) -> Plain:
        """What the cell has of a younger option, as digests hold it."""
        noun = {"cloaking": self.cloaking, "view": self.view, "attack": self.attack}.get(row.of, self)
        if not _has_attribute(type(noun), row):
            return dict(noun.options).get(row.name, row.before)
        value = getattr(noun, row.attribute or row.option)
        return value.described() if isinstance(value, Chosen) else value

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.cloaking.seed

    @property
    def knowledge(self) -> Knowledge:
        """What the defense knew of the attacker's encoder; derived, never declared."""
        adapted = not getattr(self.view.adaptation.plugin, "keeps_weights", False)
        return knowledge_of_all(self.cloaking.surrogates, self.view.members, adapted=adapted)


def further_axes(*of: Of) -> list[Axis]:
    """The options that decide one of these things and have no attribute of their own in a cell.

    Args:
        of: What the options decide, see `bench.plan.rows.Of`.
    """
    kinds: dict[Of, type[Noun]] = {"cloaking": Cloaking, "view": View, "attack": Attack}
    return [
        row
        for row in AXES.values()
        if row.of in of and row.younger and not _has_attribute(kinds.get(row.of, Cell), row)
    ]


def _identities(noun: Noun, cards: tuple[EncoderCard, ...]) -> Canonical:
    if "identities" not in noun.memo:
        noun.memo["identities"] = Canonical.of([encoders.identity(card) for card in cards])
    written: Canonical = noun.memo["identities"]
    return written


def _has_attribute(noun: type[Noun], row: Axis) -> bool:
    return (row.attribute or row.option) in _attributes(noun.__name__)


@cache
def _attributes(noun: str) -> frozenset[str]:
    kinds: tuple[type[Noun], ...] = (Cloaking, View, Attack, Cell)
    return frozenset(declared.name for kind in kinds if kind.__name__ == noun for declared in fields(kind))


@dataclass(frozen=True)
class Plan:
    """Cells that share one data set and its protected users.

    Attributes:
        spec: The matrix, by name.
        data: The data set.
        splits: Who plays which part, one split for each repetition.
        cells: All cells; `Cell.repetition` is the position of the split that each belongs to.
        device: The device, resolved.
    """

    spec: RunSpec
    data: Dataset
    splits: tuple[Split, ...]
    cells: tuple[Cell, ...]
    device: str
