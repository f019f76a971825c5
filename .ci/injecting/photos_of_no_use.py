"""Folders in which some photos cannot be read, each for one of several reasons, in any part of a run."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

from bench import registry
from bench.errors import UserError
from bench.experiment.session import RunResult, execute
from bench.machine.progress import Silent
from bench.photos import heif
from bench.photos.distinct import unused
from bench.photos.reasons import NO_FACE, kind_of
from bench.plan.spec import RunSpec
from bench.types import Folders
from injecting.copied_photos import shot, stored
from injecting.injection import Injection, Outcome, draws

PEOPLE, EACH = 12, 5
_HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@dataclass(frozen=True)
class Way:
    """A way in which a file is no photo that can be read.

    Attributes:
        spoil: Makes such a file of a good one.
        said: What the reason has to say.
    """

    spoil: Callable[[bytes, random.Random], bytes]
    said: str


WAYS = {
    "HEIC": Way(lambda good, rng: _HEIC + rng.randbytes(40), "pip install 'cloakbench[heic]'"),
    "empty": Way(lambda good, rng: b"", "the file is empty"),
    "cut": Way(lambda good, rng: good[: rng.randint(300, len(good) // 2)], "broken "),
    "no photo": Way(lambda good, rng: b"dear diary " + rng.randbytes(30), "not a photo"),
}


@cache
def _people() -> list[list[bytes]]:
    rng = random.Random(0)
    return [[stored(shot(person, number), rng)[1] for number in range(EACH)] for person in range(PEOPLE)]


def spoil(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Run on a folder in which random photos of random people are spoilt, each in one of two ways."""
    counts: Counter[Outcome] = Counter()
    with (
        patch.object(heif, "readable", lambda: False),
        patch.dict("os.environ", {"BENCH_HOME": str(folder / "home")}),
    ):
        for rng in draws(times, seed):
            root = folder / "photos"
            spoilt = _written(root, rng)
            counts[_outcome(root, spoilt, folder / "home")] += 1
            shutil.rmtree(root)
    return counts


def _written(root: Path, rng: random.Random) -> dict[str, str]:
    """Write the photos; name of a spoilt one -> its way."""
    ways, share = rng.sample(sorted(WAYS), 2), rng.choice([0.1, 0.3, 1.0])
    bad = set(rng.sample(range(PEOPLE), rng.randint(1, PEOPLE)))
    spoilt: dict[str, str] = {}
    for person, photos in enumerate(_people()):
        (root / f"P{person}").mkdir(parents=True)
        for number, content in enumerate(photos):
            name, written = f"P{person}/{number}.jpg", content
            if person in bad and rng.random() < share:
                spoilt[name] = rng.choice(ways)
                written = WAYS[spoilt[name]].spoil(content, rng)
            (root / name).write_bytes(written)
    return spoilt


def _outcome(root: Path, spoilt: dict[str, str], home: Path) -> Outcome:
    dataset = f"folder:{root}"
    listed = unused(registry.make("datasets", dataset)[1], Folders(home=str(home)), Silent())
    if {name: way for name, way in spoilt.items() if WAYS[way].said not in listed.get(name, "")}:
        return Outcome("--left-out does not name a photo with its reason", right=False)
    spec = RunSpec(dataset=dataset, users=3, photos=4, encoders=("synth-ir",), device="cpu")
    try:
        result = execute(spec)
    except UserError as error:
        why = [WAYS[way].said for way in spoilt.values()]
        right = any(said in str(error) for said in (*why, NO_FACE, "needed"))
        return Outcome("refused with the reason" if right else "refused for another reason", right)
    return _told(result, spoilt)


def _told(result: RunResult, spoilt: dict[str, str]) -> Outcome:
    """Whether the record counts every spoilt photo of the split in its part, and a line tells each kind."""
    (record,), (plan,) = result.records, [pipeline.plan for pipeline in result.pipelines]
    split, data = plan.splits[0], plan.data
    first = len(split.calibration) - split.crowd
    parts = {
        "released": split.released,
        "calibration": split.calibration[:first],
        "crowd": split.calibration[first:],
        "reference": split.reference,
        "background": split.background,
    }
    bad = {part: [name for who in people for name in who if name in spoilt] for part, people in parts.items()}
    counted = {
        part: sum(count for kind, count in kinds.items() if kind != NO_FACE)
        for part, kinds in record.unused.items()
    }
    if {part: len(names) for part, names in bad.items() if names} != {p: n for p, n in counted.items() if n}:
        return Outcome("the record counts other photos", right=False)
    lines = [note for note in result.notes if "not used" in note and NO_FACE not in note]
    kinds = {kind for kinds in record.unused.values() for kind in kinds if kind != NO_FACE}
    if len(lines) != len(kinds) or not all(any(kind in line for line in lines) for kind in kinds):
        return Outcome("not a line for each kind", right=False)
    named = [line.partition("such as ")[2].rstrip(")") for line in lines]
    if not all(name in spoilt for name in named):
        return Outcome("the example is another photo", right=False)
    why = {kind_of(reason) for reason in result.tables[record.cell]["unused"]["why"]} - {NO_FACE}
    lost = [who for who in split.released if sum(name in spoilt for name in who) >= len(who) / 2]
    flagged = any("cannot be read" in flag.reason for flag in record.flags)
    if why != kinds or flagged != bool(lost) or not all(data.digest(name) for name in spoilt):
        return Outcome("the flag or the reasons do not fit", right=False)
    return Outcome(
        "told in the record and in a line a kind" if kinds else "no photo of the run is concerned", True
    )


INJECTIONS = (
    Injection(
        name="photos-of-no-use",
        injected="In a folder of 12 people some photos of some people are HEIC without the extra, empty, "
        "cut, or no photos.",
        right="`--left-out` names each with its reason. The record counts them in their parts, one line a "
        "kind says so with an example, a user without photos is flagged, and a refusal gives the reason.",
        times=60,
        inject=spoil,
    ),
)
