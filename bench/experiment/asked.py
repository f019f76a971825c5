"""What was asked for, as plain values: for other processes, and for a later look at the same `--out`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.plan.axes import AXES
from bench.plan.doors import PYTHON
from bench.plan.spec import RunSpec, read_options
from bench.store.cache import Cache
from bench.store.digests import digest

STAGE = "asked"
"""The stage under which it is stored."""


def written(spec: RunSpec) -> dict[str, Any] | None:
    """A run as option -> value; None where a defense of it is a function, which nothing can be written of."""
    values = {row.option: getattr(spec, row.field) for row in AXES.values()}
    try:
        return dict(json.loads(json.dumps(values)))
    except TypeError:
        return None


def spec_of(values: Mapping[str, Any]) -> RunSpec:
    """The run that `written` wrote."""
    return RunSpec(**read_options(values, PYTHON))


def remember(specs: Sequence[RunSpec], out: Path, home: Path) -> None:
    """Keep in the store what is run for a folder, for `bench collect`.

    Args:
        specs: The runs.
        out: The folder.
        home: `BENCH_HOME`.
    """
    asked = [written(spec) for spec in specs]
    if None not in asked:
        cache = Cache(home)
        cache.put_file(STAGE, _key(out), json.dumps(asked).encode())
        cache.close()


def recall(out: Path, home: Path) -> list[RunSpec]:
    """The runs that were asked for with `--out`.

    Args:
        out: The folder.
        home: `BENCH_HOME`.

    Raises:
        UserError: None was.
    """
    cache = Cache(home)
    content = cache.file(STAGE, _key(out))
    cache.close()
    if content is None:
        raise UserError(
            f"no run was begun for {out} with the store in {home}. 'bench run … --out {out}' begins one; "
            "give both the same BENCH_HOME."
        )
    return [spec_of(values) for values in json.loads(content)]


def _key(out: Path) -> str:
    return digest(STAGE, str(out.resolve()))
