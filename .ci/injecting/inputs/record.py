"""What a checkout made of every input, as a committed record."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.machine.environment import LIBRARIES
from bench.store.digests import versions
from bench.store.writing import write_whole
from injecting import inputs
from injecting.injection import CannotInjectError, declared
from injecting.inputs.seen import Input
from injecting.inputs.workshop import Stock, Workshop

FOLDER = Path(__file__).resolve().parents[3] / "results" / "reliability" / "inputs"
SCHEMA, VERSION = "cloakbench inputs", 1


def known() -> dict[str, Input]:
    """All inputs by name, in the order of their rows.

    Raises:
        RuntimeError: Two have the same name.
    """
    every: list[Input] = declared(inputs, "INPUTS")
    order = sorted(every, key=lambda given: ("FRN".index(given.row[0]), int(given.row[1:] or 0), given.name))
    return {given.name: given for given in order}


def look(asked: Iterable[Input], code: Path, say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Hand inputs to the `bench` of a checkout.

    Args:
        asked: The inputs.
        code: The checkout.
        say: Is given a line for each input.

    Returns:
        Name -> what was seen, for each input that can be built here.
    """
    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder) / "shared"
        shared.mkdir()
        stock = Stock(code, shared)
        for given in asked:
            own = Path(folder) / given.name
            own.mkdir()
            try:
                one = given.look(Workshop(own, stock))
            except CannotInjectError as error:
                say(f"{given.row} {given.name}: cannot be built here: {error}")
                continue
            seen[given.name] = {"says": one.says.replace(str(own), "…"), "right": one.right}
            say(f"{given.row} {given.name}: {'right' if one.right else 'WRONG'}: {one.says}")
    return seen


def commit_of(code: Path) -> dict[str, Any]:
    """The commit of a checkout, and whether it has changes."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(code), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}


def write(when: str, code: Path, seen: Mapping[str, Mapping[str, Any]], folder: Path = FOLDER) -> None:
    """Write what was seen of a checkout over what was written of the same inputs before.

    Args:
        when: `before` or `after`.
        code: The checkout.
        seen: From `look`.
        folder: Where the records lie.
    """
    path = folder / f"{when}.json"
    former = read(when, folder)["inputs"] if path.exists() else {}
    rows = {
        name: {
            "row": given.row,
            "given": given.given,
            "right_is": given.right,
            **commit_of(code),
            **seen[name],
        }
        if name in seen
        else former.get(name)
        for name, given in known().items()
    }
    document = {
        "schema": SCHEMA,
        "schema_version": VERSION,
        "packages": versions(LIBRARIES),
        "inputs": {name: row for name, row in rows.items() if row},
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())


def read(when: str, folder: Path = FOLDER) -> dict[str, Any]:
    """A record.

    Raises:
        SystemExit: It is of another version.
    """
    document: dict[str, Any] = json.loads((folder / f"{when}.json").read_text("utf-8"))
    if (document.get("schema"), document.get("schema_version")) != (SCHEMA, VERSION):
        raise SystemExit(f"reliability: {when}.json is no record of inputs, version {VERSION}")
    return document
