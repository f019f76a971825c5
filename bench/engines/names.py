"""What `--engine` takes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.engines.pool import Pool
from bench.errors import UserError
from bench.parameters import Plain
from bench.types import Folders

FORMS = "local, processes:N, dask:N, dask:tcp://HOST:PORT, slurm, slurm:jobs=N or slurm:local"


@dataclass(frozen=True)
class Engine:
    """An engine, by name.

    Attributes:
        kind: `local`, `processes`, `dask`, `slurm` or `slurm:local`.
        count: How many tasks at once; 0 where the cluster says it.
        address: Of a dask scheduler; empty for none.
        parameters: For submitit.
    """

    kind: str = "local"
    count: int = 0
    address: str = ""
    parameters: dict[str, Plain] = field(default_factory=dict)

    @property
    def together(self) -> int:
        """How many workers share the processors of this machine; 1 where the engine finds others."""
        return 1 if self.kind == "slurm" else max(1, self.count)


def parse(text: str) -> Engine:
    """Read the name of an engine.

    Raises:
        UserError: There is no such engine.
    """
    kind, _, rest = text.partition(":")
    if text == "local":
        return Engine()
    if kind in ("processes", "dask") and re.fullmatch(r"[1-9]\d{0,3}", rest):
        return Engine(kind, int(rest))
    if kind == "dask" and re.match(r"\w+://\S", rest):
        return Engine("dask", address=rest)
    if kind == "slurm":
        return _slurm(text, rest)
    raise _unknown(text)


def _slurm(text: str, rest: str) -> Engine:
    words = rest.split(",") if rest else []
    kind = "slurm:local" if "local" in words else "slurm"
    values: dict[str, Plain] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and value) and word != "local":
            raise _unknown(text)
        if equals:
            values[name] = int(value) if value.isdigit() else value
    jobs = values.pop("jobs", 2 if kind == "slurm:local" else 100)
    if not isinstance(jobs, int) or jobs < 1:
        raise _unknown(text)
    return Engine(kind, jobs, parameters=values)


def _unknown(text: str) -> UserError:
    return UserError(f"--engine {text} is none. It takes {FORMS}. Try --engine processes:2.")


def pool_of(engine: Engine, folders: Folders, devices: Sequence[str], threads: int) -> Pool:
    """Workers of an engine that is not `local`.

    Args:
        engine: Which one.
        folders: Where the store is.
        devices: What the runs compute on.
        threads: How many threads each worker computes with.

    Raises:
        UserError: The engine cannot be had.
    """
    home = Path(folders.home).resolve()
    if engine.kind == "dask":
        from bench.engines.dask_pool import DaskPool

        return DaskPool(engine.address, engine.count, home)
    if engine.kind != "processes":
        from bench.engines.slurm import SlurmPool

        return SlurmPool(engine.kind.split(":")[-1], engine.count, engine.parameters, home)
    from bench.engines.processes import Processes

    return Processes(engine.count, _environments(engine.count, devices, threads), home)


def _environments(count: int, devices: Sequence[str], threads: int) -> list[dict[str, str]]:
    """The variables of each worker: its threads, and a GPU of its own.

    Raises:
        UserError: There are fewer GPUs than workers.
    """
    variables = {"OMP_NUM_THREADS": str(threads)}
    if not any(device.startswith("cuda") for device in devices):
        return [variables] * count
    import torch

    shown = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(torch.cuda.device_count())))
    cards = shown.split(",")
    if count > len(cards):
        raise UserError(
            f"--engine processes:{count} wants a GPU for each process, and there are {len(cards)}. "
            f"Try --engine processes:{len(cards)}."
        )
    return [variables | {"CUDA_VISIBLE_DEVICES": card} for card in cards[:count]]
