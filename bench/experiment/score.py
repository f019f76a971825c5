"""Cloaks that a tool outside of this project made, scored by the same pipeline as every defense."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.machine.progress import Progress, Silent
from bench.photos.pairs import RESIZED, UNREADABLE, Compared, Pairs, compared, from_table, paired
from bench.photos.reasons import SHOWS_A_USER
from bench.plan.chosen import Chosen
from bench.plan.datasets import among
from bench.plan.resolve import open_dataset
from bench.plan.scenarios import SCENARIOS
from bench.plan.spec import RunSpec
from bench.plan.tool_cloaks import File, ToolCloaks, check_stated
from bench.protocols import Dataset
from bench.store.digests import digest
from bench.store.folders import folders
from bench.types import Catalogue

_TOGETHER = 64

_NO_SURROGATE = "none"
"""What `--surrogate` takes for a tool that looks at no encoder."""


@dataclass(frozen=True)
class Cloaks:
    """What is to be scored.

    Attributes:
        original: The folder of the photos as they were: one sub-folder a user.
        cloaked: The folder of what the tool made of them.
        tool: The tool's name.
        version: The tool's version.
        pairs: A CSV with the columns `original` and `cloaked`, where names do not tell.
        own: What the tool made of other people's photos, for attackers who know the tool.
    """

    original: Path
    cloaked: Path
    tool: str
    version: str
    pairs: Path | None = None
    own: Path | None = None


@dataclass(frozen=True)
class Scoring:
    """What follows from the files.

    Attributes:
        spec: The matrix with the tool's cloaks as its first defense.
        notes: What the user should know of the files.
    """

    spec: RunSpec
    notes: tuple[str, ...]


def prepared(cloaks: Cloaks, options: Mapping[str, Any], progress: Progress | None = None) -> Scoring:
    """Pair the files with the photos, look at both, and make a defense of them.

    Args:
        cloaks: What is to be scored.
        options: Fields of `RunSpec`; `dataset` is whose people are around the users, and `defenses` are those
            that stand beside the tool.
        progress: Told of files that are looked at.

    Raises:
        UserError: Something is not here, or nothing can be paired.
    """
    listener = progress or Silent()
    if "dataset" not in options:
        raise UserError(
            "users need other people around them: whom attackers are tuned on, and among whom they search. "
            "Name a data set, such as --dataset lfw, or --dataset folder:PATH with other people's photos."
        )
    check_stated("--tool", cloaks.tool)
    check_stated("--tool-version", cloaks.version)
    stated = tuple(options.get("surrogates", ()))
    if len(stated) > 1:
        raise UserError(
            f"the cloaks in {cloaks.cloaked} are of one making: --surrogate once, or a+b for several at once."
        )
    against = stated != (_NO_SURROGATE,)
    fields = {**options, "dataset": among(options["dataset"], cloaks.original)}
    fields |= {} if against else {"surrogates": ()}
    _, data, _ = open_dataset(RunSpec(**fields), folders(), progress)
    catalogue = data.catalogue()
    rows = list(zip(catalogue.photos, catalogue.identities, strict=True))
    users = [photo for photo, person in rows if person in catalogue.protected]
    pairs = _pairs(cloaks, users, _not_used(catalogue))
    _check_any(cloaks, users, pairs)
    seen = _looked_at(data, pairs, listener, "compare cloaks with originals")
    files = _files(data, users, pairs, seen)
    own: dict[str, File | None] = {}
    if cloaks.own is not None:
        own = _own(data, [row for row in rows if row[1] not in catalogue.protected], cloaks.own, listener)
    plugin = ToolCloaks(
        tool=cloaks.tool,
        version=cloaks.version,
        cloaks=_digest(files),
        own_cloaks=_digest(own) if own else "",
        report=_report(users, pairs, seen),
        against=against,
        files={**own, **files},
    )
    chosen = Chosen(f"{cloaks.tool} {cloaks.version}", plugin)
    fields["defenses"] = (chosen, *options.get("defenses", ()))
    spec = RunSpec(**fields)
    users_rows = [person for _, person in rows if person in catalogue.protected]
    return Scoring(spec, (*_notes(cloaks, users, pairs, seen), *_no_users(users_rows, spec)))


def _not_used(catalogue: Catalogue) -> list[str]:
    """Photos of the users that play no part, such as copies: their cloaks are of a photo all the same."""
    return [
        name
        for name, why in catalogue.left_out.items()
        if why != SHOWS_A_USER and name.partition("/")[0] in catalogue.protected
    ]


def _pairs(cloaks: Cloaks, users: Sequence[str], not_used: Sequence[str]) -> Pairs:
    """The pairs of the users' photos; a cloak of a photo that plays no part is none, and no file too many."""
    photos = [*users, *not_used]
    pairs = (
        from_table(cloaks.pairs, photos, cloaks.cloaked) if cloaks.pairs else paired(photos, cloaks.cloaked)
    )
    files = {photo: pairs.files[photo] for photo in users if photo in pairs.files}
    return replace(pairs, files=files, renamed=pairs.renamed & files.keys())


def _check_any(cloaks: Cloaks, users: Sequence[str], pairs: Pairs) -> None:
    if pairs.files:
        return
    others = [*pairs.extra, *pairs.refused]
    there = f"has files such as {others[0]!r}" if others else "holds no files"
    raise UserError(
        f"none of the {len(users)} photos of {cloaks.original} (such as {users[0]!r}) has a cloak: "
        f"{cloaks.cloaked} {there}. Give cloaks the names of their photos, or name a table with --pairs."
    )


def _looked_at(data: Dataset, pairs: Pairs, progress: Progress, doing: str) -> dict[str, Compared]:
    photos, seen = list(pairs.files), dict[str, Compared]()
    with progress.stage(doing, len(photos)) as advance:
        for i in range(0, len(photos), _TOGETHER):
            part = photos[i : i + _TOGETHER]
            seen |= compared(data, part, pairs.files)
            advance(len(part))
    return seen


def _files(
    data: Dataset, photos: Sequence[str], pairs: Pairs, seen: Mapping[str, Compared]
) -> dict[str, File | None]:
    """Digest of a photo -> its file; None where there is none."""
    return {
        data.digest(photo): (pairs.files[photo], seen[photo].sha256) if photo in seen else None
        for photo in photos
    }


def _own(
    data: Dataset, others: Sequence[tuple[str, str]], folder: Path, progress: Progress
) -> dict[str, File | None]:
    """Digest of a photo of other people -> its cloak; of people of whom at least one photo has one.

    Raises:
        UserError: There is no cloak of anybody.
    """
    names = [photo for photo, _ in others]
    pairs = paired(names, folder)
    people = {person for photo, person in others if photo in pairs.files}
    if not people:
        raise UserError(
            f"{folder} holds no cloak of a person of the data set, whose photos are called like "
            f"{names[0]!r}. 'bench manifest --write DIR' writes the photos that a tool has to cloak."
        )
    seen = _looked_at(data, pairs, progress, "look at the attacker's own cloaks")
    return _files(data, [photo for photo, person in others if person in people], pairs, seen)


def _digest(files: Mapping[str, File | None]) -> str:
    return digest(sorted((photo, file[1] if file else None) for photo, file in files.items()))


def _report(
    users: Sequence[str], pairs: Pairs, seen: Mapping[str, Compared]
) -> dict[str, int | float | None]:
    """What a record says of the files."""
    shares = [one.untouched for one in seen.values() if one.untouched is not None]
    return {
        "photos": len(users),
        "paired": len(seen),
        "renamed": len(pairs.renamed),
        "missing": len(users) - len(seen),
        "extra": len(pairs.extra) + len(pairs.refused),
        "unreadable": sum(one.fault == UNREADABLE for one in seen.values()),
        "resized": sum(one.fault == RESIZED for one in seen.values()),
        "identical": sum(share == 1 for share in shares),
        "reencoded": sum(one.reencoded for one in seen.values()),
        "untouched": sum(shares) / len(shares) if shares else None,
    }


def _notes(cloaks: Cloaks, users: Sequence[str], pairs: Pairs, seen: Mapping[str, Compared]) -> list[str]:
    """One line for each thing that is peculiar about the files, with one of them by its name."""
    missing = [photo for photo in users if photo not in pairs.files]
    kinds: list[tuple[str, Sequence[str]]] = [
        ("photos without a cloak, which count as cloak_failed", missing),
        (
            "cloaks that are no photos, which count as cloak_failed",
            _of(seen, lambda one: one.fault == UNREADABLE),
        ),
        ("cloaks of another size, which count as cloak_failed", _of(seen, lambda one: one.fault == RESIZED)),
        ("cloaks that are the photo, pixel for pixel", _of(seen, lambda one: one.untouched == 1)),
        ("cloaks of another format than the photo's", _of(seen, lambda one: one.reencoded)),
        ("cloaks under another name", sorted(pairs.renamed)),
        ("files of no photo, which are not used", pairs.extra),
        ("files that are not looked at", [f"{name} {why}" for name, why in pairs.refused.items()]),
    ]
    told = f"cloaks of {cloaks.tool} {cloaks.version}"
    return [f"{told}: {what}: {len(names)} (such as {names[0]})" for what, names in kinds if names]


def _of(seen: Mapping[str, Compared], which: Callable[[Compared], bool]) -> list[str]:
    return [photo for photo, one in seen.items() if which(one)]


def _no_users(owners: Sequence[str], spec: RunSpec) -> list[str]:
    """A line on people of the users' folder who have too few photos.

    Args:
        owners: The person on each photo of the folder.
        spec: The matrix.
    """
    need = spec.photos + (spec.labelled if SCENARIOS[spec.scenario].clean else 0)
    held = Counter(owners)
    few = sorted(person for person, count in held.items() if count < need)
    if not few:
        return []
    return [
        f"{len(few)} of {len(held)} people have fewer than {need} photos and are no users (such as {few[0]} "
        f"with {held[few[0]]}): ask for fewer with --photos."
    ]
