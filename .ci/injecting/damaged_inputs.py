"""Damage to the texts that the bench reads besides photos and records: suites, locks, lists and manifests."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PIL import Image

from bench import registry
from bench.errors import UserError
from bench.fetching import manifests
from bench.plan.suites import load
from bench.store import lock
from bench.store.cache import Cache
from bench.types import Folders
from bench.verification.pairs import read_list
from injecting.injection import Injection, Outcome, draws

SUITE = (
    '[[run]]\ndefense = ["none", "noise"]\nattacker = ["dbscan"]\nusers = 3\ndose = [0.5, 1.0]\n'
    'scenario = "introduced"\nseed = 1\n\n[[run]]\ndefense = ["none"]\n'
    'attacker = ["knn:k=3"]\nscenario = "linked"\n'
)
PAIRS = "2\t2\nA\t1\t2\nB\t1\t2\nA\t1\tB\t1\nA\t2\tB\t2\nC\t1\t2\nD\t1\t2\nC\t1\tD\t1\nC\t2\tD\t2\n"
LISTED = (
    '{"file": "lfw/A_B/A_B_0001.jpg", "sha256": "%s"}\n{"file": "lfw/A_B/A_B_0002.jpg", "sha256": "%s"}\n'
)
PIECES = (
    "", "\0", "\ud800", "\x1b[2J", "²", "٣", "-1", "1e999", "nan", "inf", "true", "null", "[" * 2000,
    "{" * 2000, "a = " * 20, "9" * 5000, '"', "'''", "=", "[[run]]", "[run]", "\t", "\r", "\ufeff", "#",
    "x" * 9000, '{"a": [1]}', "[1, 2]",
    "\u2028", "\x85", "../../etc/passwd", "0" * 64, "  ",
)  # fmt: skip


def _damaged(text: str, rng: random.Random) -> bytes:
    """A text, of which a part is something else, is gone, stands twice, or has other bytes."""
    lines = text.splitlines(keepends=True)
    kind = rng.randrange(7)
    if kind == 0:
        start = rng.randrange(len(text))
        text = text[:start] + rng.choice(PIECES) + text[start + rng.randint(0, 6) :]
    elif kind == 1:
        words = text.split(" ")
        words[rng.randrange(len(words))] = rng.choice(PIECES)
        text = " ".join(words)
    elif kind == 2:
        text = text[: rng.randrange(len(text))]
    elif kind == 3:
        del lines[rng.randrange(len(lines))]
        text = "".join(lines)
    elif kind == 4:
        text = "".join([*lines, rng.choice(lines)])
    elif kind == 5:
        lines[rng.randrange(len(lines))] = rng.choice(PIECES) + "\n"
        text = "".join(lines)
    content = bytearray(text.encode("utf-8", "surrogatepass") or b"x")
    if kind == 6:
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def _suite(folder: Path, rng: random.Random) -> None:
    file = folder / "suite.toml"
    file.write_bytes(_damaged(SUITE, rng))
    load(str(file), {})


def _pairs(folder: Path, rng: random.Random) -> None:
    file = folder / "pairs.txt"
    file.write_bytes(_damaged(PAIRS, rng))
    read_list(file)


def _lock(folder: Path, rng: random.Random) -> None:
    one, other = "a" * 64, "b" * 64
    text = f'{{\n "weights.safetensors": "{one}",\n "photos.sha256": "{other}"\n}}\n'
    (folder / lock.LOCK).write_bytes(_damaged(text, rng))
    where = Folders(str(folder))
    lock.recorded("weights.safetensors", where)
    lock.pin("another", "c" * 64, where)


def _manifest(folder: Path, rng: random.Random) -> None:
    target, where = folder / "photos", Folders(str(folder))
    target.mkdir(exist_ok=True)
    (target / "a.jpg").write_bytes(b"photo")
    (folder / lock.LOCK).unlink(missing_ok=True)
    manifests.write(target, {"a.jpg": hashlib.sha256(b"photo").hexdigest()}, where)
    listed = folder / "photos.sha256"
    listed.write_bytes(_damaged(listed.read_text("utf-8"), rng))
    if rng.random() < 0.5:  # whoever changes the list may change its pin
        lock.pin(listed.name, hashlib.sha256(listed.read_bytes()).hexdigest(), where)
    manifests.verify(target, where)


def _list_of_photos(folder: Path, rng: random.Random) -> None:
    person = folder / "lfw" / "A_B"
    person.mkdir(parents=True, exist_ok=True)
    digests = []
    for number in (1, 2):
        file = person / f"A_B_000{number}.jpg"
        Image.new("RGB", (8, 8), (number, 0, 0)).save(file)
        digests.append(hashlib.sha256(file.read_bytes()).hexdigest())
    (folder / "images.jsonl").write_bytes(_damaged(LISTED % tuple(digests), rng))
    registry.make("datasets", "lfw")[1].open(Folders(str(folder / "home"), str(folder))).catalogue()


def _index(folder: Path, rng: random.Random) -> None:
    rows = {f"{number:064x}": bytes([number]) * 50 for number in range(9)}
    whole = Cache(folder)
    whole.put_rows("face", rows)
    whole.close()
    file = next((folder / "cache").rglob("rows.sqlite"))
    content = bytearray(file.read_bytes())
    for _ in range(rng.randint(1, 40)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    file.write_bytes(content[: rng.choice((len(content), len(content), rng.randrange(len(content))))])
    again = Cache(folder)
    found = [again.rows("face", [*rows])]
    again.put_rows("face", rows)  # a row whose neighbours' keys are damaged may go on being absent
    found.append(again.rows("face", [*rows]))
    again.close()
    if any(value != rows[key] for held in found for key, value in held.items()):
        raise AssertionError("a damaged row was believed")


INPUTS: Mapping[str, Callable[[Path, random.Random], None]] = {
    "a suite": _suite,
    "LFW's list of pairs": _pairs,
    "the lock of files": _lock,
    "the manifest of a fetched folder": _manifest,
    "LFW's list of photos": _list_of_photos,
    "the index of the cache": _index,
}
"""What is damaged -> what damages it in a folder, and reads it."""


def damage(times: int, seed: int, folder: Path, what: str | None = None) -> Counter[Outcome]:
    """Damage a file and read it; `what` is one of `INPUTS`, or each is drawn."""
    counts: Counter[Outcome] = Counter()
    for number, rng in enumerate(draws(times, seed)):
        kind = what or rng.choice([*INPUTS])
        place = folder / str(number)
        place.mkdir(parents=True)
        counts[_outcome(kind, partial(INPUTS[kind], place, rng), place)] += 1
    return counts


def _outcome(kind: str, read: Callable[[], None], place: Path) -> Outcome:
    try:
        read()
    except UserError as error:
        said = str(error)
        right = str(place) in said and "\n" not in said and len(said) < 1000
        return Outcome(f"{kind} is refused{'' if right else ', but not in one line that names it'}", right)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
        return Outcome(f"{kind}: ends with {type(error).__name__}", False)
    return Outcome(f"{kind} is read, or repaired", True)


DAMAGE = Injection(
    "damaged-inputs",
    f"a file that the bench reads is damaged: {', '.join(INPUTS)}; words, lines and bytes are replaced, "
    "gone, twice or cut",
    "it is refused in one line that names it, or what is left of it can be used; no damaged row is believed",
    3000,
    damage,
)
INJECTIONS = (DAMAGE,)
