"""Damage to everything that is read of an encoder: cards, ONNX and TorchScript files, safetensors, pins."""

from __future__ import annotations

import hashlib
import io
import json
import random
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import safetensors.torch
import torch

from bench import encoders
from bench.encoders.families import synth
from bench.errors import UserError
from bench.fetching import manifests
from bench.store import lock, lpips_weights
from bench.types import Folders
from injecting import grid
from injecting.injection import Injection, Outcome, draws

CARD = {
    "name": '"net"',
    "architecture": '"small"',
    "training_set": '""',
    "licence": '"MIT"',
    "source": '"a test"',
    "dimensions": "8",
    "size": "112",
    "mean": "[1, 2.5, 3]",
    "std": "64",
    "colour": '"bgr"',
}
VALUES = (
    *("true", "-1", "0", "8", "1e999", "nan", "-inf", "9" * 400, '""', '"\\u0000"', '"x\\ny"', '"../x"'),
    *("[]", "[1]", "[1, 2, 3, 4]", "[[1]]", "{}", "1979-05-27", "'''a\nb'''", '"' + "k" * 3000 + '"'),
)
KEYS = (
    *CARD,
    "margin",
    "crop",
    "layout",
    "parameters",
    "released",
    "sha256",
    "extra",
    "'a b'",
    "a.b",
    '"\\n"',
)


def _damaged(content: bytes, rng: random.Random) -> bytes:
    """A file of which something was lost, added or changed."""
    place, length = rng.randrange(len(content) + 1), rng.randint(1, 64)
    kind = rng.randrange(6)
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + rng.randbytes(length) + content[place:]
    if kind == 2:
        return content[:place] + rng.randbytes(length) + content[place + length :]
    if kind == 3:
        return content[:place] + content[place + length :]
    if kind == 4:
        return content[place:] + content[:place]
    flipped = bytearray(content or b"\0")
    for _ in range(rng.randint(1, 4)):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def _card(rng: random.Random) -> bytes:
    """A card with odd keys and values, or with damaged bytes."""
    lines = dict(CARD)
    for _ in range(rng.randint(0, 3)):
        lines[rng.choice(KEYS)] = rng.choice(VALUES)
    for _ in range(rng.randint(0, 2)):
        lines.pop(rng.choice([*lines]))
    text = "\n".join(f"{key} = {value}" for key, value in lines.items()).encode()
    return _damaged(text, rng) if rng.random() < 0.5 else text


@cache
def _graph() -> bytes:
    content: bytes = grid.network().SerializeToString()
    return content


@cache
def _program() -> bytes:
    network = torch.nn.Sequential(torch.nn.AvgPool2d(28), torch.nn.Flatten(), torch.nn.Linear(48, 8))
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(network, torch.rand(2, 3, 112, 112)), stream)
    return stream.getvalue()


@cache
def _tensors() -> bytes:
    return safetensors.torch.save({"a": torch.zeros(3), "b": torch.ones(2, 2)})


def _read_card(content: bytes, folder: Path) -> None:
    (folder / "net.onnx").write_bytes(_graph())
    (folder / "net.card.toml").write_bytes(content)
    encoders.ready(f"onnx:{folder}/net.onnx", Folders(str(folder)))


def _read_graph(content: bytes, folder: Path) -> None:
    # looked into as before a run; what runs it is the trial, a process of its own
    (folder / "net.onnx").write_bytes(content)
    (folder / "net.card.toml").write_text("\n".join(f"{key} = {CARD[key]}" for key in CARD if key != "mean"))
    encoders.ready(f"onnx:{folder}/net.onnx", Folders(str(folder)))


def _read_program(content: bytes, folder: Path) -> None:
    lines = [f"{key} = {CARD[key]}" for key in CARD if key not in ("mean", "std")]
    (folder / "net.pt").write_bytes(content)
    stated = hashlib.sha256(content).hexdigest()
    (folder / "net.card.toml").write_text("\n".join([*lines, f'sha256 = "{stated}"']))
    encoders.load(f"torchscript:{folder}/net.pt", Folders(str(folder)))


def _read_tensors(content: bytes, folder: Path) -> None:
    path = folder / lpips_weights.FILE
    path.write_bytes(content)
    lpips_weights.read(path)


def _read_built_in_card(content: bytes, folder: Path) -> None:
    (folder / "synth-x.json").write_bytes(content)
    synth.card_of(folder / "synth-x.json")


def _read_pins(content: bytes, folder: Path) -> None:
    (folder / lock.LOCK).write_bytes(content)
    lock.recorded("net.onnx", Folders(str(folder)))


def _read_manifest(content: bytes, folder: Path) -> None:
    where = Folders(str(folder))
    (folder / "pack").mkdir(exist_ok=True)
    (folder / "pack" / "a").write_bytes(b"a")
    (folder / "pack.sha256").write_bytes(content)
    lock.pin("pack.sha256", hashlib.sha256(content).hexdigest(), where)
    manifests.verify(folder / "pack", where)


_LISTED = f"{hashlib.sha256(b'a').hexdigest()}  pack/a\n".encode()

READERS: dict[str, tuple[Callable[[bytes, Path], None], Callable[[random.Random], bytes]]] = {
    "card": (_read_card, _card),
    "ONNX file": (_read_graph, lambda rng: _damaged(_graph(), rng)),
    "TorchScript file": (_read_program, lambda rng: _damaged(_program(), rng)),
    "safetensors file": (_read_tensors, lambda rng: _damaged(_tensors(), rng)),
    "card of a built-in encoder": (
        _read_built_in_card,
        lambda rng: _damaged((synth.FOLDER / "synth-ir.json").read_bytes(), rng),
    ),
    "pinned digests": (
        _read_pins,
        lambda rng: _damaged(json.dumps({"net.onnx": "0" * 64, "other": "1" * 64}).encode(), rng),
    ),
    "list of a fetched folder": (_read_manifest, lambda rng: _damaged(_LISTED, rng)),
}


def _injection(name: str, times: int) -> Injection:
    read, damage = READERS[name]

    def inject(times: int, seed: int, folder: Path) -> Counter[Outcome]:
        counts: Counter[Outcome] = Counter()
        for rng in draws(times, seed):
            content = damage(rng)
            try:
                read(content, folder)
            except UserError as error:
                line = str(error)
                right = bool(line.strip()) and "\n" not in line and len(line) < 2000
                counts[Outcome("refused in one line" if right else f"refused: {line[:200]!r}", right)] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
                counts[Outcome(f"{type(error).__name__}: {str(error)[:120]}", False)] += 1
            else:
                counts[Outcome("read: nothing in it contradicts", True)] += 1
        return counts

    return Injection(
        f"damaged-{name.replace(' ', '-').lower()}",
        f"the {name} is cut, lengthened, shuffled or changed in bytes"
        + (", or has odd keys and values" if name == "card" else ""),
        "it is refused in one line, or it still says something that can be",
        times,
        inject,
    )


INJECTIONS = [_injection(name, 300 if name == "TorchScript file" else 2000) for name in READERS]
