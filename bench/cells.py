"""What was asked -> cells: every combination, each completely resolved and digested before anything runs."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, ClassVar, Literal

from bench import channels, devices, encoders, registry
from bench.digests import digest
from bench.errors import UserError, unknown_name
from bench.parameters import Plain, plain, resolved
from bench.protocols import Dataset, Kit
from bench.records import PROTOCOL
from bench.splits import Request, Split, split
from bench.types import Album, Budget, EncoderCard, Folders, Image, PluginCard

SCENARIOS = {
    "introduced": "all photos of a user are cloaked; the attacker has none that are not",
    "linked": "the attacker also holds some clean, labelled photos of each user",
}
Knowledge = Literal["white-box", "grey-box", "black-box", "none"]
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
    seed: int = 0
    device: str = "auto"
    precision: str = "fp32"


@dataclass(frozen=True)
class FunctionDefense:
    """A defense that is any function of one user's photos: list of [h, w, 3] uint8 -> as many of the same.

    It is called anew in every run: nobody can know what else the function reads.
    """

    card: ClassVar[PluginCard] = PluginCard(summary="a function", source="the caller's")

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
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the digest once."""
        value = digest(
            PROTOCOL,
            self.dataset,
            self.scenario,
            self.parts,
            self.defense.described(),
            [encoders.identity(card) for card in self.surrogates],
            str(self.budget),
            self.channel,
            encoders.identity(self.encoder),
            self.attacker.described(),
            self.detector,
            self.seed,
            # the option is younger than the first published digests, which stay what they are
            *([] if self.precision == "fp32" else [self.precision]),
        )
        object.__setattr__(self, "digest", value)

    @property
    def knowledge(self) -> Knowledge:
        """What the defense knew of the attacker's encoder; derived, never declared."""
        return knowledge(self.surrogates, self.encoder)


@dataclass(frozen=True)
class Plan:
    """Cells that share one data set and one split of its people."""

    spec: RunSpec
    data: Dataset
    split: Split
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


def opened(spec: RunSpec, folders: Folders) -> tuple[Chosen, Dataset, Split]:
    """The data set that was asked for, and who plays which part in it.

    Raises:
        UserError: for a data set that is not there, and for parts that it has too few people for.
    """
    _check(spec)
    chosen = Chosen(*registry.make("datasets", spec.dataset))
    data: Dataset = chosen.plugin.open(folders)
    labelled = spec.labelled if spec.scenario == "linked" else 0
    request = Request(spec.users, spec.photos, labelled, spec.background, spec.seed)
    return chosen, data, split(data.catalogue(), data.card, request)


def plan(spec: RunSpec, folders: Folders, detector: dict[str, Plain], device: str) -> Plan:
    """Resolve everything that was asked.

    Raises:
        UserError: for anything unknown, missing, out of range, or that cannot go together.
    """
    dataset, data, parts = opened(spec, folders)
    scenario: dict[str, Plain] = {
        "name": spec.scenario,
        "parameters": {
            "users": len(parts.released),
            "photos": spec.photos,
            "labelled": spec.labelled if spec.scenario == "linked" else 0,
            "background": len(parts.background),
            "calibration": len(parts.calibration),
            "reference": len(parts.reference),
        },
    }
    described: dict[str, Plain] = {
        "name": dataset.name,
        "parameters": {**dataset.parameters, **data.card.resolved},
        "digest": data.card.revision,
    }
    wanted = _encoders(spec, dataset.name, folders)
    attackers = [Chosen(*registry.make("attackers", text)) for text in spec.attackers]
    if spec.scenario == "introduced" and not any(hasattr(a.plugin, "cluster") for a in attackers):
        raise UserError(
            f"attacker {attackers[0].name!r} names people from labelled photos, and scenario 'introduced' "
            "has none. Add --scenario linked."
        )
    cells: list[Cell] = []
    defenses = _defenses(spec.defenses)
    _checked(defenses, attackers, spec.budgets)
    for defense, budget, channel in product(defenses, spec.budgets, spec.channels):
        parsed, passed = Budget.parse(budget), str(channels.parse(channel))
        for surrogates in _surrogates(spec, defense, wanted, folders):
            for encoder, attacker in product(wanted, attackers):
                cell = Cell(
                    described,
                    scenario,
                    digest(plain_split(parts, data)),
                    defense,
                    surrogates,
                    parsed,
                    passed,
                    encoder,
                    attacker,
                    detector,
                    spec.seed,
                    devices.precision(spec.precision),
                )
                cells.append(cell)
    unique = {cell.digest: cell for cell in cells}
    return Plan(spec, data, parts, tuple(unique.values()), device)


def plain_split(parts: Split, data: Dataset) -> Plain:
    """The split as content digests of photos: who is where, whatever the files are called."""
    groups = (parts.released, parts.labelled, parts.calibration, parts.reference, parts.background)
    boxes = parts.boxes

    def content(photo: str) -> Plain:
        """Of several faces in one photo a box chooses the person."""
        return [data.digest(photo), plain(boxes[photo])] if photo in boxes else data.digest(photo)

    return [[[content(photo) for photo in person] for person in group] for group in groups]


def _check(spec: RunSpec) -> None:
    if spec.scenario not in SCENARIOS:
        raise unknown_name("scenario", spec.scenario, SCENARIOS, command="bench list scenarios")
    for name, value, least in (
        ("users", spec.users, 1),
        ("photos", spec.photos, 3),
        ("labelled", spec.labelled, 1),
        ("background", spec.background, 0),
        ("seed", spec.seed, 0),
    ):
        if value is not None and value < least:
            raise UserError(f"--{name} {value} is too small: it must be at least {least}.")
    if spec.scenario == "linked" and spec.labelled >= spec.photos:
        raise UserError(
            f"--labelled {spec.labelled} must be below --photos {spec.photos}: otherwise not even a perfect "
            "cluster has a majority of released photos, and CFR would be 0 for everybody."
        )


def _encoders(spec: RunSpec, dataset: str, folders: Folders) -> list[EncoderCard]:
    names = spec.encoders
    if not names and dataset == "synthetic":
        names = tuple(n for n in encoders.names(folders) if n.startswith("synth-"))
    if not names:
        ready = [card.name for card, state in encoders.availability(folders) if state == encoders.READY]
        raise UserError(
            f"data set {dataset!r} needs an encoder by name. Ready here: {', '.join(ready)}. "
            f"Try --encoder {ready[-1]}."
        )
    found = [encoders.ready(name, folders) for name in dict.fromkeys(names)]
    encoders.distinct(found)
    return found


def _surrogates(
    spec: RunSpec, defense: Chosen, wanted: list[EncoderCard], folders: Folders
) -> list[tuple[EncoderCard, ...]]:
    """The surrogate axis: one entry a `--surrogate`; `a+b` is one entry of two."""
    if not defense.plugin.card.surrogates:
        return [()]
    if not spec.surrogates:
        return [(wanted[0],)]
    asked = [tuple(encoders.ready(name, folders) for name in text.split("+")) for text in spec.surrogates]
    encoders.distinct([*wanted, *(card for ensemble in asked for card in ensemble)])
    return asked


def _checked(defenses: Sequence[Chosen], attackers: Sequence[Chosen], budgets: Sequence[str]) -> None:
    """Have every plug-in that can do so look at its parameters, before anything is computed."""
    for attacker in attackers:
        if hasattr(attacker.plugin, "check"):
            attacker.plugin.check()
    for defense, budget in product(defenses, budgets):
        if hasattr(defense.plugin, "check"):
            defense.plugin.check(Budget.parse(budget))


def _defenses(asked: Sequence[str | UserFunction]) -> list[Chosen]:
    """Plug-ins and functions by name.

    Raises:
        UserError: for two functions that a record could not tell apart.
    """
    chosen: list[Chosen] = []
    for one in dict.fromkeys(asked):
        if isinstance(one, str):
            chosen.append(Chosen(*registry.make("defenses", one)))
            continue
        made = Chosen(getattr(one, "__name__", type(one).__name__), FunctionDefense(one))
        if any(isinstance(c.plugin, FunctionDefense) and c.described() == made.described() for c in chosen):
            raise UserError(
                f"two functions are called {made.name!r} and have the same source: no record could tell them "
                "apart. Set the __name__ of one."
            )
        chosen.append(made)
    return chosen
