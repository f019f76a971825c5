"""The pairs of photos that are compared: LFW's list, or pairs drawn from the people of a data set.

There are ten folds, and no person is in two of them. Draws depend on the seed and on names, not on an order
of files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from pathlib import Path, PurePath
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from bench.errors import UserError
from bench.store.digests import digest
from bench.store.reading import read_whole
from bench.types import Catalogue, Folders, Labels

FOLDS = 10
CALIBRATION = 10_000
"""The most impostor pairs a fold for the calibration of thresholds at a false accept rate."""

_MOST_PHOTOS = 40  # of one person that drawn pairs come from
_FEW = 8
_GENUINE, _IMPOSTOR, _CALIBRATION = 1, 2, 3  # keep draws of one seed apart
Who = TypeVar("Who", bound=Hashable)
What = TypeVar("What", bound=Hashable)
_LISTED_HOW = "<name> <n> <n> or <name> <n> <other> <n>"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of photos. Names and people serve to look photos up and to compute metrics; no encoder sees them.

    Attributes:
        protocol: `lfw-10-fold` is LFW's own list, complete; `drawn` are pairs drawn by this program.
        photos: The names of the photos, sorted.
        people: int64 [photo], the person on each.
        first: int64 [pair], the position of one photo.
        second: int64 [pair], the position of the other photo.
        folds: int64 [pair], the fold.
        listed: The number of pairs in LFW's list; 0 where there is no list.
        available: The number of these pairs whose two photos are here and in use.
        note: One line on the origin of the pairs, where it is not LFW's complete list.
    """

    protocol: Literal["lfw-10-fold", "drawn"]
    photos: tuple[str, ...]
    people: Labels
    first: Labels
    second: Labels
    folds: Labels
    listed: int = 0
    available: int = 0
    note: str = ""

    @property
    def same(self) -> npt.NDArray[np.bool_]:
        """Whether one person is on both photos, bool [pair]."""
        same: npt.NDArray[np.bool_] = self.people[self.first] == self.people[self.second]
        return same


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of `pairs.txt`: two photos by stem, and their fold."""

    fold: int
    first: str
    second: str
    same: bool


def pairs(dataset: str, catalogue: Catalogue, folders: Folders, count: int, seed: int) -> Pairs:
    """LFW's pairs where the data set is LFW and complete, otherwise drawn pairs.

    Args:
        dataset: The name of the data set.
        catalogue: Its photos.
        folders: The folders in which `pairs.txt` is searched.
        count: The number of pairs to draw, half of them genuine.
        seed: The seed of the draw.

    Raises:
        UserError: The list is damaged, or there are too few people to draw from.
    """
    if dataset != "lfw":
        return drawn(dataset, catalogue, count, seed)
    path = list_file(folders)
    if path is None:
        instead = drawn(dataset, catalogue, count, seed)
        return replace(instead, note="LFW's pairs.txt is not here: not LFW's protocol")
    lines = read_list(path)
    stems = {PurePath(name).stem: name for name in (*catalogue.photos, *catalogue.left_out)}
    used = set(catalogue.photos)
    here = [line for line in lines if line.first in stems and line.second in stems]
    usable = [line for line in here if stems[line.first] in used and stems[line.second] in used]
    if len(here) == len(lines):
        return _as_listed(usable, stems, catalogue, len(lines))
    return replace(
        drawn(dataset, catalogue, count, seed),
        listed=len(lines),
        available=len(usable),
        note=f"{len(usable):,} of LFW's {len(lines):,} pairs have both photos here: not LFW's protocol",
    )


def list_file(folders: Folders) -> Path | None:
    """LFW's `pairs.txt`, or None."""
    home = Path(folders.home) / "data"
    real = [Path(folders.real_data) / name for name in ("meta", "lfw", ".")] if folders.real_data else []
    places = [*real, home / "lfw", home / "lfw_home", home]
    return next((p / "pairs.txt" for p in places if (p / "pairs.txt").is_file()), None)


def read_list(path: Path) -> list[Listed]:
    """Read LFW's list: `folds<TAB>n`, then n genuine and n impostor pairs a fold.

    Raises:
        UserError: The file is not such a list.
    """
    content = read_whole(path)
    try:
        rows = [line.split() for line in content.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise UserError(f"cannot read {path} ({error}). Get LFW's pairs.txt again, or delete it.") from error
    head = rows[0] if rows else []
    if len(head) != 2 or not all(map(_is_number, head)):
        raise _damaged(path, 1, "it should hold the number of folds and of pairs")
    folds, each = map(int, head)
    if folds < 2 or each < 1 or len(rows) != 1 + 2 * folds * each:
        raise _damaged(path, 1, f"it promises {folds} x 2 x {each} pairs, and there are {len(rows) - 1}")
    return [_listed(path, at, row, each) for at, row in enumerate(rows[1:])]


def drawn(dataset: str, catalogue: Catalogue, count: int, seed: int) -> Pairs:
    """Draw pairs within ten disjoint groups of people, as evenly over people as their photos allow.

    Args:
        dataset: The name of the data set, for errors.
        catalogue: The photos and people. At most forty photos of a person are used.
        count: The number of pairs, half of them genuine. There may be fewer.
        seed: The seed of the draw.

    Raises:
        UserError: There are fewer than two people a fold, or fewer than one with two photos.
    """
    photos: dict[str, list[str]] = defaultdict(list)
    for photo, person in zip(catalogue.photos, catalogue.identities, strict=True):
        photos[person].append(photo)
    several = [name for name in photos if len(photos[name]) > 1]
    if len(photos) < 2 * FOLDS or len(several) < FOLDS:
        raise UserError(
            f"data set {dataset!r} has {len(photos)} people, {len(several)} of them with two photos: "
            f"pairs in {FOLDS} folds need {2 * FOLDS} and {FOLDS}. Try a larger data set, such as "
            "--dataset synthetic."
        )
    # people with several photos first, so that each fold gets its share of them
    dealt = sorted(photos, key=lambda name: (len(photos[name]) < 2, digest(seed, "fold", name)))
    chosen: list[tuple[str, str, int]] = []
    for fold in range(FOLDS):
        shown = {
            name: sorted(photos[name], key=lambda photo: digest(seed, "photo", photo))[:_MOST_PHOTOS]
            for name in dealt[fold::FOLDS]
        }
        half = count // (2 * FOLDS)
        chosen += [(*pair, fold) for pair in _genuine(shown, half, _rng(seed, _GENUINE, fold))]
        chosen += [(*pair, fold) for pair in _impostors(shown, half, _rng(seed, _IMPOSTOR, fold))]
    owner = dict(zip(catalogue.photos, catalogue.identities, strict=True))
    return _indexed("drawn", chosen, owner)


def calibration(compared: Pairs, seed: int, most: int = CALIBRATION) -> tuple[Labels, Labels, Labels]:
    """Draw further impostor pairs of the same photos within each fold, for thresholds.

    Args:
        compared: The pairs that are judged.
        seed: The seed of the draw.
        most: The most pairs a fold.

    Returns:
        One photo, the other photo, and the fold: int64 [c] each.
    """
    of_photo = np.full(len(compared.photos), -1, np.int64)
    of_photo[compared.first], of_photo[compared.second] = compared.folds, compared.folds
    out: list[tuple[int, int, int]] = []
    for fold in np.unique(compared.folds).tolist():
        shown: dict[int, list[int]] = defaultdict(list)
        for photo in np.flatnonzero(of_photo == fold).tolist():
            shown[int(compared.people[photo])].append(photo)
        out += [(*pair, fold) for pair in _impostors(shown, most, _rng(seed, _CALIBRATION, fold))]
    first, second, folds = np.array(out, np.int64).T
    return first, second, folds


def _rng(seed: int, purpose: int, fold: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, purpose, fold])))


def _genuine(shown: dict[str, list[str]], count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Draw in rounds: in each round everybody with a pair left gives one."""
    left = {}
    for name, own in shown.items():
        every = list(combinations(own, 2))
        left[name] = [every[i] for i in rng.permutation(len(every))]
    names = [name for name in shown if left[name]]
    out: list[tuple[str, str]] = []
    while names and len(out) < count:
        out += [left[names[i]].pop() for i in rng.permutation(len(names))]
        names = [name for name in names if left[name]]
    return out[:count]


def _impostors(
    shown: Mapping[Who, list[What]], count: int, rng: np.random.Generator
) -> list[tuple[What, What]]:
    """Draw in rounds: people meet two by two, each with one photo, and no two photos meet twice."""
    people = list(shown)
    sizes = [len(shown[name]) for name in people]
    possible = (sum(sizes) ** 2 - sum(n * n for n in sizes)) // 2
    if possible <= _FEW * count:
        # few to choose from: meeting at random would rarely find those that are left
        every = [
            (a, b) for first, second in combinations(people, 2) for a in shown[first] for b in shown[second]
        ]
        return [every[i] for i in rng.permutation(possible)[:count]]
    out: dict[tuple[What, What], None] = {}
    while len(out) < count:
        order = rng.permutation(len(people))
        for i, j in zip(order[::2], order[1::2], strict=False):
            first, second = min(i, j), max(i, j)
            pair = (
                shown[people[first]][rng.integers(sizes[first])],
                shown[people[second]][rng.integers(sizes[second])],
            )
            out.setdefault(pair)
    return list(islice(out, count))


def _as_listed(lines: Sequence[Listed], stems: dict[str, str], catalogue: Catalogue, listed: int) -> Pairs:
    owner = dict(zip(catalogue.photos, catalogue.identities, strict=True))
    chosen = [(stems[line.first], stems[line.second], line.fold) for line in lines]
    usable = _indexed("lfw-10-fold", chosen, owner)
    out = listed - len(lines)
    note = f"{out} of LFW's {listed:,} pairs left out: a photo is known to be mislabelled" if out else ""
    return replace(usable, listed=listed, available=len(lines), note=note)


def _indexed(
    protocol: Literal["lfw-10-fold", "drawn"], chosen: Sequence[tuple[str, str, int]], owner: dict[str, str]
) -> Pairs:
    names = sorted({name for first, second, _ in chosen for name in (first, second)})
    at = {name: i for i, name in enumerate(names)}
    numbers = {person: i for i, person in enumerate(sorted({owner[name] for name in names}))}
    return Pairs(
        protocol,
        tuple(names),
        np.array([numbers[owner[name]] for name in names], np.int64),
        np.array([at[first] for first, _, _ in chosen], np.int64),
        np.array([at[second] for _, second, _ in chosen], np.int64),
        np.array([fold for _, _, fold in chosen], np.int64),
    )


def _listed(path: Path, at: int, row: list[str], each: int) -> Listed:
    same = at // each % 2 == 0
    if len(row) != (3 if same else 4) or not all(_is_number(row[i]) for i in ((1, 2) if same else (1, 3))):
        raise _damaged(path, at + 2, f"it should be {_LISTED_HOW}")
    person, other = (row[0], row[0]) if same else (row[0], row[2])
    first, second = f"{person}_{int(row[1]):04d}", f"{other}_{int(row[-1]):04d}"
    if first == second or (person == other) != same:
        raise _damaged(path, at + 2, "it should name two photos, of one person or of two as its place says")
    return Listed(at // (2 * each), first, second, same)


def _damaged(path: Path, line: int, what: str) -> UserError:
    return UserError(f"{path} is not LFW's list of pairs: line {line}: {what}. Get it again, or delete it.")


def _is_number(word: str) -> bool:
    """Whether a word is a whole number as LFW writes it; `²` is a digit and none."""
    return word.isascii() and word.isdigit() and len(word) < 9
