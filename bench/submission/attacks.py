"""Attacks of other people on released cloaks: their assignment of photos in, a record of our figures out.

Nothing is run. Whoever attacks may use any network, any method and any language; what counts is where each
photo ends up. The record stands in the track of the cell whose cloaks were attacked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field

from bench.attack import judge
from bench.attack.asking import TOP
from bench.attack.corpus import Corpus
from bench.errors import UserError
from bench.experiment.recording import metrics_of
from bench.machine.environment import environment
from bench.plan.scenarios import SCENARIOS
from bench.records.columns import FURTHER
from bench.records.record import Author, CellRecord, Model, Named
from bench.store.digests import combine, digest
from bench.submission.checks.of_files import parts_of, released
from bench.submission.checks.of_records import knowledge_of
from bench.submission.contents import Contents
from bench.types import Flag, FlagCode, Labels, Outcome

SHORT: Final = 16
"""Digits of digests by which photos are named."""

_Text = Annotated[str, Field(max_length=1000)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class Attacker(Model):
    """What an attack is, in the words of whoever made it."""

    name: _Name
    about: _Text = ""


class Encoder(Model):
    """The network that was attacked with, as far as whoever attacked says."""

    name: _Name
    architecture: _Text = ""
    training_set: _Text = ""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class ForeignAttack(Model):
    """An attack on the released cloaks of one cell.

    Attributes:
        format: The version of the format.
        cell: The digest of the cell whose cloaks were attacked, whole.
        cloaks: The digest of these cloaks, see `cloaks_digest`.
        attacker: What was done.
        by: Who did it.
        encoder: With which network.
        tuned_on: On what thresholds were tuned, one of the levels of `bench run`.
        assignment: Photo -> its cluster, -1 for none; or the number of the person who was named, -1 for none.
    """

    format: Literal[1]
    cell: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    cloaks: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    attacker: Attacker
    by: Author
    encoder: Encoder
    tuned_on: Literal["oblivious", "adaptive", "oracle"]
    assignment: dict[str, Annotated[int, Field(strict=True, ge=-1, le=10**9)]]


@dataclass(frozen=True)
class Target:
    """The cloaks of a cell, and who is on the photos around them.

    Attributes:
        photos: The name of each photo that is assigned: the first digits of the digest of a released photo's
            pixels, or of another photo's content.
        corpus: Who is on each photo of the collection.
        asked: bool [photo of the collection], which photos are assigned.
        users: The users, as tables call them.
        rows: For each released photo of the collection, its row in the table of photos.
        people: Number of a person in the manifest -> the number in the corpus.
        manifest: The list of which photo plays which part.
    """

    photos: tuple[str, ...]
    corpus: Corpus
    asked: Any
    users: tuple[str, ...]
    rows: tuple[int, ...]
    people: Mapping[int, int]
    manifest: bytes


def cloaks_digest(photos: Mapping[str, Any]) -> str:
    """The digest of the released photos of a cell.

    Args:
        photos: The columns of the cell's photos.
    """
    return combine(sorted(str(name) for name in photos["released"]))


def target_of(contents: Contents, record: CellRecord) -> Target:
    """Lay out the collection of a cell's attacker, from the manifest and the table of photos.

    Raises:
        UserError: There is no manifest of the cell, or its strangers are simulated.
    """
    if record.distractors:
        raise UserError(f"cell {record.cell[:12]} has simulated strangers, of whom there are no photos.")
    photos = contents.photos.get(record.cell)
    if record.status != "ok" or photos is None:
        raise UserError(f"cell {record.cell[:12]} has no released photos: its status is {record.status}.")
    content = _manifest(contents, set(photos["user"]))
    parts: dict[str, dict[int, list[str]]] = {"released": {}, "labelled": {}, "background": {}}
    for part, person, photo in parts_of(content):
        parts.get(part, {}).setdefault(person, []).append(photo[:SHORT])
    row_of = {
        (str(u), str(p)): i for i, (u, p) in enumerate(zip(photos["user"], photos["photo"], strict=True))
    }
    keys = [user for user, _ in released(content)]
    people = {person: number for number, person in enumerate(parts["released"])}
    rows = [
        row_of[key, photo] for key, own in zip(keys, parts["released"].values(), strict=True) for photo in own
    ]
    others = {person: len(people) + number for number, person in enumerate(parts["background"])}
    owners = [
        *(people[person] for person, own in parts["released"].items() for _ in own),
        *(people[person] for person, own in parts["labelled"].items() for _ in own),
        *(others[person] for person, own in parts["background"].items() for _ in own),
    ]
    names = [str(photos["released"][row]) for row in rows]
    names += [photo for part in ("labelled", "background") for own in parts[part].values() for photo in own]
    shown = len(rows)
    linked = sum(map(len, parts["labelled"].values()))
    place = np.arange(len(owners))
    corpus = Corpus(
        np.array(owners, np.int64),
        place < shown,
        (place >= shown) & (place < shown + linked),
        np.arange(len(people), dtype=np.int64),
        SCENARIOS[record.scenario.name].poisoned,
    )
    clusters = "cluster" in photos and not np.isnan(photos["cluster"]).all()
    asked = np.ones(len(owners), bool) if clusters else corpus.probes
    return Target(
        tuple(name for name, one in zip(names, asked, strict=True) if one),
        corpus,
        asked,
        tuple(keys),
        tuple(rows),
        people | others,
        content,
    )


def blank(contents: Contents, record: CellRecord, target: Target) -> dict[str, Any]:
    """An attack on a cell that is still to be made: every photo is in no cluster.

    Args:
        contents: Has the table of photos.
        record: Of the cell.
        target: Its collection.
    """
    return {
        "format": 1,
        "cell": record.cell,
        "cloaks": cloaks_digest(contents.photos[record.cell]),
        "attacker": {"name": "my attack", "about": "what it does, in a sentence"},
        "by": {"name": "who made it", "url": ""},
        "encoder": {"name": "my network", "architecture": "", "training_set": "", "sha256": ""},
        "tuned_on": "oblivious",
        "assignment": dict.fromkeys(target.photos, -1),
    }


def judge_attack(
    attack: ForeignAttack, contents: Contents, record: CellRecord
) -> tuple[CellRecord, dict[str, dict[str, list[Any]]]]:
    """The record of an attack, and its tables of users and photos.

    Args:
        attack: The attack.
        contents: Has the cloaks' table of photos, and the manifest.
        record: Of the cell whose cloaks were attacked.

    Raises:
        UserError: It is of other cloaks, misses photos or names unknown ones, or belongs in another track.
    """
    photos = contents.photos.get(record.cell)
    if photos is None or attack.cloaks != cloaks_digest(photos):
        raise UserError(
            f"the attack is on other cloaks ({attack.cloaks[:12]}) than those of cell {record.cell[:12]}. "
            "'bench judge RECORDS --cell DIGEST --blank FILE' writes what belongs to a cell."
        )
    target = target_of(contents, record)
    labels = _assigned(attack, target)
    made = _record_of(attack, record)
    became = [_seen_by_others(str(photos["outcome"][row])) for row in target.rows]
    not_ok = np.array([outcome is not Outcome.OK for outcome in became], bool)
    if target.asked.all():
        verdict = judge.judge_clustering(labels, labels, target.corpus, not_ok)
        # whom the cloaks harm besides is told by the same attack on clean photos, which nobody handed in
        verdict.scores.pop("contamination", None)
    else:
        ranked = np.full((labels.size, TOP), -1, np.int64)
        ranked[:, 0] = [target.people.get(person, -1) for person in labels.tolist()]
        verdict = judge.judge_identification(ranked, target.corpus, np.ones(labels.size, bool), not_ok)
        for table in (verdict.scores, verdict.users):  # one name a photo was given, and no five
            table.pop("psr5", None), table.pop("protection_rate_5", None)
    flags = [
        flag for flag in record.flags if flag.code in (FlagCode.OUT_OF_BUDGET, FlagCode.SMALL_BACKGROUND)
    ]
    flags += [Flag(FlagCode.ORACLE, "tuned on the protected photos")] if attack.tuned_on == "oracle" else []
    outcomes = {str(name): became.count(name) for name in sorted(set(became))}
    made = made.model_copy(
        update={"metrics": metrics_of(verdict.scores), "flags": flags, "outcomes": outcomes}
    )
    of_photos = {name: [_plain(values[row]) for row in target.rows] for name, values in photos.items()}
    kept = {name: values for name, values in of_photos.items() if name not in _OF_ATTACKERS}
    return made, {
        "users": {"user": list(target.users), **verdict.users},
        "photos": {**kept, "outcome": [str(outcome) for outcome in became], **verdict.photos},
    }


_OF_ATTACKERS = ("cluster", "cluster_size", "cluster_linked", "rank", "outcome", "faces")
"""Columns of photos that say what an attacker made of them."""


def _record_of(attack: ForeignAttack, record: CellRecord) -> CellRecord:
    """The record without figures.

    Raises:
        UserError: What the attack says of its network belongs in another track.
    """
    stated = {"architecture": attack.encoder.architecture, "training_set": attack.encoder.training_set}
    encoder = Named(name=attack.encoder.name, parameters=stated, digest=attack.encoder.sha256 or None)
    kept = {row.name for row in FURTHER if row.track or row.of in ("split", "cloaking")}
    update = {
        "cell": digest("foreign attack", attack.model_dump(mode="json")),
        "encoder": encoder,
        "members": [],
        "adaptation": Named(name="none"),
        "attacker": Named(name=attack.attacker.name, parameters={"about": attack.attacker.about}),
        "level": attack.tuned_on,
        "detector": Named(name="not stated"),
        "channel": "none",
        "options": {name: value for name, value in record.options.items() if name in kept},
        "environment": environment(),
        "by": attack.by,
    }
    emptied = ("calibrated", "tried", "tried_crowd", "own_cloaks", "metrics", "robustness", "training",
               "weights", "controls", "unused", "suspected", "cost", "flags", "outcomes")  # fmt: skip
    fields = {name: getattr(record, name) for name in CellRecord.model_fields if name not in emptied}
    made = CellRecord(**{**fields, **update})
    derived = knowledge_of(made)
    if derived != record.knowledge:
        raise UserError(
            f"the attack is {derived} to the defense by what it says of its encoder, and cell "
            f"{record.cell[:12]} is {record.knowledge}. State architecture, training_set and sha256 of the "
            f"encoder, or attack a cell of the same cloaks that is {derived}."
        )
    return made


def _assigned(attack: ForeignAttack, target: Target) -> Labels:
    """Int64 [photo]: what the attack made of each photo that it was asked about.

    Raises:
        UserError: It misses photos, or names unknown ones.
    """
    known = set(target.photos)
    missing = [photo for photo in target.photos if photo not in attack.assignment]
    unknown = [photo for photo in attack.assignment if photo not in known]
    for wrong, what in ((missing, "misses"), (unknown, "names unknown")):
        if wrong:
            raise UserError(
                f"the assignment {what} photos: {len(wrong)} of {len(known)}, such as {wrong[0][:40]!r}. "
                "'bench judge RECORDS --cell DIGEST --blank FILE' names them all."
            )
    return np.array([attack.assignment[photo] for photo in target.photos], np.int64)


def _seen_by_others(outcome: str) -> Outcome:
    """An outcome without what our detector made of the photo: other people have detectors of their own."""
    told = Outcome(outcome)
    return Outcome.OK if told in (Outcome.NOT_DETECTED, Outcome.MISALIGNED) else told


def _manifest(contents: Contents, users: set[str]) -> bytes:
    try:
        for content in contents.manifests.values():
            if {user for user, _ in released(content)} == users:
                return content
    except ValueError as error:
        raise UserError(f"{contents.path} has a damaged manifest: {error}.") from error
    raise UserError(
        f"{contents.path} has no manifest.csv of these users, which says whose photos are around them. "
        "'bench run --out' writes it."
    )


def _plain(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and plain != plain else plain
