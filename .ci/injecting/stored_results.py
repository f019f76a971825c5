"""Damage to the results in a cache."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.store.cache import Cache
from injecting.injection import Injection, Outcome, draws

STAGES = ("attack", "cell", "cloak", "embedding", "face")


def _flipped(content: bytes, other: bytes, rng: random.Random) -> bytes:
    del other
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def _overwritten(content: bytes, other: bytes, rng: random.Random) -> bytes:
    del other
    place = rng.randrange(len(content))
    return (content[:place] + rng.randbytes(rng.randint(1, 64)) + content[place + 1 :]) + b"."


CHANGES: dict[str, Callable[[bytes, bytes, random.Random], bytes]] = {
    "a bit flipped": _flipped,
    "bytes overwritten": _overwritten,
    "cut short": lambda content, _, rng: content[: rng.randrange(len(content))],
    "made longer": lambda content, _, rng: content + rng.randbytes(rng.randint(1, 64)),
    "exchanged for another result": lambda _, other, __: other,
}


def damage(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Change one of two stored results, which are both rows or both files, and read them."""
    counts: Counter[Outcome] = Counter()
    cache = Cache(folder)
    for number, rng in enumerate(draws(times, seed)):
        places = [(rng.choice(STAGES), f"{number * 2 + i:064x}") for i in range(2)]
        contents = [rng.randbytes(rng.randint(0, 300)) for _ in places]
        kind, as_file = rng.choice([*CHANGES]), rng.random() < 0.5
        for (stage, key), content in zip(places, contents, strict=True):
            _put(cache, as_file, stage, key, content)
        _change(cache.folder, as_file, places, kind, rng)
        held = [_get(cache, as_file, *place) for place in places]
        _put(cache, as_file, *places[0], contents[0])
        again = _get(cache, as_file, *places[0])
        right = held == [None, contents[1]] and again == contents[0]
        says = "absent, then computed again" if right else f"believed: {kind}"
        counts[Outcome(f"{'file' if as_file else 'row'} {says}", right)] += 1
    cache.close()
    return counts


def _put(cache: Cache, as_file: bool, stage: str, key: str, content: bytes) -> None:
    if as_file:
        cache.put_file(stage, key, content)
    else:
        cache.put_rows(stage, {key: content})


def _get(cache: Cache, as_file: bool, stage: str, key: str) -> bytes | None:
    return cache.file(stage, key) if as_file else cache.rows(stage, [key]).get(key)


def _change(
    folder: Path, as_file: bool, places: list[tuple[str, str]], kind: str, rng: random.Random
) -> None:
    """Change what lies at the first place; the second is what it may be exchanged for."""
    if as_file:
        first, second = (folder / stage / key[:2] / key for stage, key in places)
        first.write_bytes(CHANGES[kind](first.read_bytes(), second.read_bytes(), rng))
        return
    with closing(sqlite3.connect(folder / "rows.sqlite")) as base, base:
        query = "SELECT value FROM row WHERE stage = ? AND key = ?"
        first, second = (base.execute(query, place).fetchone()[0] for place in places)
        base.execute(
            "UPDATE row SET value = ? WHERE stage = ? AND key = ?",
            (CHANGES[kind](first, second, rng), *places[0]),
        )


DAMAGE = Injection(
    "damaged-results",
    "a result in a cache, a row or a file of any stage, is changed in a bit, in bytes, in its length, "
    "or exchanged for another result",
    "it reads as absent and can be stored again; the result beside it is as it was",
    4000,
    damage,
)
INJECTIONS = (DAMAGE,)
