"""What a run is made of: what was asked, and the cells that it resolves to."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from bench import adaptations, encoders
from bench.parameters import Plain, resolved
from bench.plan.split import Split
from bench.protocols import Dataset, Kit
from bench.records.record import PROTOCOL
from bench.store.digests import digest
from bench.types import BUDGETS, Album, Budget, EncoderCard, Image, PluginCard

Knowledge = Literal["white-box", "grey-box", "black-box", "none"]
_UNASKED: dict[str, Plain] = {
    "precision": "fp32",
    "dose": 1.0,
    "level": "oblivious",
    "adaptation": {"name": "none", "parameters": {}},
    "draw": 0,
    "distractors": 0,
}
UserFunction = Callable[[list[Image]], Sequence[Image]]


@dataclass(frozen=True, slots=True)
class RunSpec:
    """A matrix of cells, as asked. Tuples are axes; see `bench run --help` for each."""

    dataset: str = "synthetic"
    scenario: str = "introduced"
    defenses: tuple[str | UserFunction, ...] = ("none",)
    attackers: tuple[str, ...] = ("dbscan",)
    encoders: tuple[str, ...] = ()
    surrogates: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ("linf:8",)
    channels: tuple[str, ...] = ("none",)
    users: int | None = None
    photos: int = 10
    labelled: int = 5
    background: int | None = None
    doses: tuple[float, ...] = (1.0,)
    levels: tuple[str, ...] = ("oblivious",)
    adaptations: tuple[str, ...] = ("none",)
    distractors: tuple[int, ...] = (0,)
    seed: int = 0
    draws: int = 1
    device: str = "auto"
    precision: str = "fp32"


@dataclass(frozen=True)
class FunctionDefense:
    """A defense that is any function of one user's photos: list of [h, w, 3] uint8 -> as many of the same.

    It is called anew in every run: nobody can know what else the function reads.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="a function", source="the caller's", budgets=tuple(BUDGETS)
    )

    function: UserFunction

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        del kit
        return [list(self.function([photo.copy() for photo in album.photos])) for album in albums]

    @property
    def source_digest(self) -> str:
        """Hex sha256 of the function's source text, or of its byte code where there is no text."""
        try:
            text = inspect.getsource(self.function).encode()
        except (OSError, TypeError):
            code = getattr(self.function, "__code__", None)
            text = code.co_code if code is not None else repr(type(self.function)).encode()
        return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True)
class Chosen:
    """A plug-in by name, with what it resolved to."""

    name: str
    plugin: Any

    @property
    def parameters(self) -> dict[str, Plain]:
        """Every parameter; for a function, the digest of its source."""
        if isinstance(self.plugin, FunctionDefense):
            return {"source": self.plugin.source_digest}
        return resolved(self.plugin)

    def described(self) -> dict[str, Plain]:
        """For digests and records."""
        return {"name": self.name, "parameters": self.parameters}


@dataclass(frozen=True)
class Cell:
    """One cell, resolved. `digest` covers every field that decides its result."""

    dataset: dict[str, Plain]
    scenario: dict[str, Plain]
    parts: str
    defense: Chosen
    surrogates: tuple[EncoderCard, ...]
    budget: Budget
    channel: str
    encoder: EncoderCard
    attacker: Chosen
    detector: dict[str, Plain]
    seed: int
    precision: str = "fp32"
    dose: float = 1.0
    level: str = "oblivious"
    adaptation: Chosen = field(default_factory=lambda: Chosen(*adaptations.make("none")))
    draw: int = 0
    distractors: int = 0
    members: tuple[EncoderCard, ...] = ()
    """The encoders that `encoder` puts together; itself alone if it is one."""
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the digest once."""
        # options that are younger than the first published digests, which stay what they are
        younger: dict[str, Plain] = {
            "precision": self.precision,
            "dose": self.dose,
            "level": self.level,
            "adaptation": self.adaptation.described(),
            "draw": self.draw,
            "distractors": self.distractors,
        }
        value = digest(
            PROTOCOL,
            self.dataset,
            self.scenario,
            self.parts,
            self.defense.described(),
            [encoders.identity(card) for card in self.surrogates],
            str(self.budget),
            self.channel,
            [encoders.identity(card) for card in (self.encoder, *self.members)],
            self.attacker.described(),
            self.detector,
            self.seed,
            {name: given for name, given in younger.items() if given != _UNASKED[name]},
        )
        object.__setattr__(self, "digest", value)

    @property
    def knowledge(self) -> Knowledge:
        """What the defense knew of the attacker's encoder; derived, never declared."""
        return knowledge_of_all(self.surrogates, self.members)


@dataclass(frozen=True)
class Plan:
    """Cells that share one data set and its protected users.

    Attributes:
        spec: what was asked.
        data: whose photos.
        splits: who plays which part, for each draw of it.
        cells: all of them; `Cell.draw` is the split that each belongs to.
        device: resolved.
    """

    spec: RunSpec
    data: Dataset
    splits: tuple[Split, ...]
    cells: tuple[Cell, ...]
    device: str


def knowledge(surrogates: Sequence[EncoderCard], encoder: EncoderCard) -> Knowledge:
    """Derive what a defense knew of an encoder from weight digests, architectures and training sets.

    A training set that its source does not state may be the same: black-box is claimed only where both are
    stated and differ.
    """
    if not surrogates:
        return "none"
    if any(s.sha256 == encoder.sha256 for s in surrogates):
        return "white-box"
    for s in surrogates:
        same_set = not s.training_set or not encoder.training_set or s.training_set == encoder.training_set
        if same_set or s.architecture == encoder.architecture:
            return "grey-box"
    return "black-box"


def knowledge_of_all(surrogates: Sequence[EncoderCard], members: Sequence[EncoderCard]) -> Knowledge:
    """What a defense knew of encoders that an attacker puts together.

    White-box only where it is so for all of them, black-box where it is for any.
    """
    known = {knowledge(surrogates, card) for card in members}
    return known.pop() if len(known) == 1 else "black-box" if "black-box" in known else "grey-box"
