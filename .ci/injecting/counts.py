"""The committed counts of injections: a file each, so that each can be made anew alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.machine.environment import environment
from bench.store.writing import write_whole
from injecting.injection import Injection, Outcome

FOLDER = Path(__file__).resolve().parents[2] / "results" / "reliability" / "injections"
SCHEMA, VERSION = "cloakbench injections", 1


def document(injection: Injection, seed: int, counts: Counter[Outcome]) -> dict[str, Any]:
    """What is written about one injection. It names no host and no path."""
    return {
        "schema": SCHEMA,
        "schema_version": VERSION,
        "name": injection.name,
        "injected": injection.injected,
        "right": injection.right,
        "times": counts.total(),
        "seed": seed,
        "outcomes": [
            {"says": outcome.says, "right": outcome.right, "count": count}
            for outcome, count in sorted(counts.items(), key=lambda item: (item[0].right, item[0].says))
        ],
        "environment": environment(),
    }


def write(injection: Injection, seed: int, counts: Counter[Outcome], folder: Path = FOLDER) -> None:
    """Write the counts of one injection in the place of its former ones."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document(injection, seed, counts), indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / f"{injection.name}.json", text.encode())


def read(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """The documents by name, in the order of their names.

    Raises:
        SystemExit: A file is none of this version.
    """
    documents = {}
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        if (document.get("schema"), document.get("schema_version")) != (SCHEMA, VERSION):
            raise SystemExit(
                f"reliability: {path.name} holds no counts, version {VERSION}. "
                f"Type: python .ci/reliability.py {path.stem}"
            )
        documents[path.stem] = document
    return documents


def differences(injections: Mapping[str, Injection], counts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Where injections and counts do not belong together: a line each."""
    lines = []
    for name in sorted(injections.keys() | counts.keys()):
        if name not in counts:
            lines.append(f"{name} has no counts: python .ci/reliability.py {name}")
        elif name not in injections:
            lines.append(f"the injection {name} is gone: remove its counts")
        else:
            injection, held = injections[name], counts[name]
            stated = {"injected": injection.injected, "right": injection.right, "times": injection.times}
            parts = [part for part in ("name", *stated) if held[part] != {"name": name, **stated}[part]]
            if sum(outcome["count"] for outcome in held["outcomes"]) != held["times"]:
                parts.append("sum of the outcomes")
            if parts:
                lines.append(f"{name}: {', '.join(parts)} differ: python .ci/reliability.py {name}")
            lines += [f"{name}: wrong: {o['says']}" for o in held["outcomes"] if not o["right"]]
    return lines
