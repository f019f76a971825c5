"""One run from what was asked to records on disk: what the command line and `bench.run` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.experiment.pipeline import Pipeline, Tables
from bench.machine.devices import device
from bench.machine.progress import Progress, Silent
from bench.plan.cells import Plan, RunSpec, UserFunction
from bench.plan.resolve import plan
from bench.plan.split import manifest, manifest_csv
from bench.protocols import Dataset
from bench.recognition.observer import detector_parameters
from bench.records.files import Records
from bench.records.record import CellRecord
from bench.store.cache import Cache
from bench.store.folders import folders

_EXAMPLES = {
    "defense": "'none'",
    "attacker": "'dbscan'",
    "encoder": "'synth-ir'",
    "surrogate": "'synth-ir'",
    "budget": "'linf:8'",
    "channel": "'jpeg:75'",
    "dose": "0.5",
    "level": "'oblivious'",
    "adaptation": "'none'",
    "distractors": "1000",
}
"""Argument of `run` -> what it takes."""


class CellsFailed(BaseExceptionGroup[BaseException]):
    """What made cells of a run fail.

    Attributes:
        records: of all its cells, those that went well among them.
    """

    records: Records

    def __new__(cls, message: str, faults: Sequence[BaseException], records: Records) -> CellsFailed:
        """A group with the records beside it."""
        made = super().__new__(cls, message, faults)
        made.records = records
        return made


@dataclass(frozen=True)
class Session:
    """What came of a run, or of several.

    Attributes:
        records: of all cells, in order.
        tables: cell digest -> its per-user and per-photo tables.
        faults: what made cells fail, if any did.
        pipelines: one a run, with which released photos can be looked at again.
        notes: what the user should know besides.
    """

    records: Records
    tables: dict[str, Tables]
    faults: list[BaseException]
    pipelines: tuple[Pipeline, ...]
    notes: list[str]

    @property
    def pipeline(self) -> Pipeline:
        """Of the first run."""
        return self.pipelines[0]


def execute(
    asked: RunSpec | Sequence[RunSpec],
    progress: Progress | None = None,
    done: Callable[[CellRecord], None] | None = None,
) -> Session:
    """Run a matrix, or several one after another. What was computed before a fault or a kill is kept.

    All of them are resolved before the first one starts; a cell that two of them have is run once.

    Raises:
        UserError: for anything the user can mend. Where some cells were refused and others went well, it is
            among the session's faults instead.
    """
    specs = (asked,) if isinstance(asked, RunSpec) else tuple(asked)
    where = folders()
    cache = Cache(Path(where.home))
    try:
        plans = [plan(spec, where, detector_parameters(), device(spec.device)) for spec in specs]
        pipelines = tuple(Pipeline(each, where, cache, progress) for each in _distinct(plans))
        tables: dict[str, Tables] = {}

        total = sum(len(each.plan.cells) for each in pipelines)
        teller = progress if progress and total > 1 else Silent()
        with teller.stage("cells", total) as advance:

            def keep(record: CellRecord, rows: Tables) -> None:
                tables[record.cell] = rows
                advance()
                if done:
                    done(record)

            records = Records(record for pipeline in pipelines for record in pipeline.run(keep))
        faults = [fault for pipeline in pipelines for fault in pipeline.faults]
        if faults and isinstance(faults[0], UserError) and not any(r.status == "ok" for r in records):
            raise faults[0]
        notes = [note for each in plans for note in left_out(each.data)]
        return Session(records, tables, faults, pipelines, list(dict.fromkeys([*cache.repaired, *notes])))
    finally:
        cache.close()


def _distinct(plans: Sequence[Plan]) -> list[Plan]:
    """The same plans, each without the cells of those before."""
    seen: set[str] = set()
    out = []
    for each in plans:
        out.append(replace(each, cells=tuple(cell for cell in each.cells if cell.digest not in seen)))
        seen |= {cell.digest for cell in each.cells}
    return out


def run(
    *,
    defense: str | UserFunction | Sequence[str | UserFunction] = "none",
    attacker: str | Sequence[str] = "dbscan",
    dataset: str = "synthetic",
    scenario: str = "introduced",
    encoder: str | Sequence[str] = (),
    surrogate: str | Sequence[str] = (),
    budget: str | Sequence[str] = "linf:8",
    channel: str | Sequence[str] = "none",
    users: int | None = None,
    photos: int = 10,
    labelled: int = 5,
    background: int | None = None,
    dose: float | Sequence[float] = 1.0,
    level: str | Sequence[str] = "oblivious",
    adaptation: str | Sequence[str] = "none",
    distractors: int | Sequence[int] = 0,
    seed: int = 0,
    draws: int = 1,
    device: str = "auto",
    precision: str = "fp32",
    out: str | Path | None = None,
) -> Records:
    """Run a matrix of cells from Python; the arguments are the options of `bench run`.

    Args:
        defense: names, or functions from a list of one user's photos (uint8 [height, width, 3], RGB) to as
            many photos of the same shapes.
        attacker: names.
        dataset: a name.
        scenario: `introduced`, `linked`, `evasion` or `poisoning`.
        encoder: names of what the attacker embeds with; `a+b` and `mean:a+b` are ensembles.
        surrogate: names of what a defense optimises against; `a+b` is one ensemble.
        budget: such as `linf:8` or `dssim:0.004`; `bench list budgets` names the kinds.
        channel: such as `none` or `jpeg:75`.
        users: protected users; None takes the data set's default.
        photos: released photos a user.
        labelled: clean photos a user besides the released ones, in all scenarios but `introduced`.
        background: background people; None takes the data set's default.
        dose: shares of a user's photos that are cloaked.
        level: what thresholds are tuned on: `oblivious`, `adaptive` or `oracle`.
        adaptation: what the attacker makes of its encoder, knowing the defense; see `bench list adaptations`.
        distractors: numbers of simulated strangers to add to the background, see `bench.attack.distractors`.
        seed: of the split and of everything random.
        draws: how often calibration people and background are drawn anew.
        device: `auto`, `cpu`, `cuda`, `cuda:1`.
        precision: that the attacker embeds in: `fp32`, `bf16`, `fp16`.
        out: a folder to write the records and tables to.

    Raises:
        UserError: for anything the caller can mend.
        CellsFailed: of what made cells fail, after all others have run; its `records` are those of all cells.
    """
    spec = RunSpec(
        dataset=dataset,
        scenario=scenario,
        defenses=_axis("defense", defense, str, Callable),
        attackers=_axis("attacker", attacker, str),
        encoders=_axis("encoder", encoder, str),
        surrogates=_axis("surrogate", surrogate, str),
        budgets=_axis("budget", budget, str),
        channels=_axis("channel", channel, str),
        users=users,
        photos=photos,
        labelled=labelled,
        background=background,
        doses=_axis("dose", dose, float, int),
        levels=_axis("level", level, str),
        adaptations=_axis("adaptation", adaptation, str),
        distractors=_axis("distractors", distractors, int),
        seed=seed,
        draws=draws,
        device=device,
        precision=precision,
    )
    session = execute(spec)
    if out is not None:
        write(session, Path(out))
    if session.faults:
        raise CellsFailed("cells failed; the others are kept", session.faults, session.records)
    return session.records


def left_out(data: Dataset) -> list[str]:
    """One line on files that a data set has and does not use; none if it uses all."""
    count = len(data.catalogue().left_out)
    if not count:
        return []
    told = f"{count} files of data set {data.card.name!r} are not used"
    return [f"{told}; 'bench manifest --left-out --dataset …' says why."]


def write(session: Session, folder: Path) -> None:
    """Write `records.json`, `manifest.csv`, `users.parquet` and `photos.parquet`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    import pandas as pd

    try:
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / "records.json", session.records.to_json().encode() + b"\n")
        for name, content in _manifests(session).items():
            _put(folder / name, content)
        for name in ("users", "photos"):
            frames = [
                pd.DataFrame({"cell": cell, **rows[name]}) for cell, rows in session.tables.items() if rows
            ]
            if frames:
                _put(folder / f"{name}.parquet", pd.concat(frames, ignore_index=True).to_parquet(index=False))
    except OSError as error:
        raise UserError(
            f"cannot write to {folder}: {error.strerror}. Everything computed is kept: choose another --out "
            "and repeat the command."
        ) from error


def _manifests(session: Session) -> dict[str, bytes]:
    """File name -> which photos play which part; one for each split that was run on."""
    found: dict[bytes, None] = {}
    for pipeline in session.pipelines:
        for parts in pipeline.plan.splits:
            found.setdefault(manifest_csv(manifest(parts, pipeline.plan.data.digest)).encode())
    return {f"manifest-{i}.csv" if i else "manifest.csv": content for i, content in enumerate(found)}


def _put(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        # on a full disk the beginning of a file would go on taking room
        part.unlink(missing_ok=True)
        raise


def _axis(name: str, value: Any, *kinds: Any) -> tuple[Any, ...]:
    """One value or several, each of the kinds that an argument takes."""
    values = (value,) if isinstance(value, kinds) else value
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise UserError(f"{name}={value!r}: it takes {_EXAMPLES[name]}, or a list of such.")
    for one in values:
        if not isinstance(one, kinds) or isinstance(one, bool):
            raise UserError(f"{name}={value!r}: {one!r} is not such as {_EXAMPLES[name]}.")
    if not values and name in ("defense", "attacker"):
        raise UserError(f"nothing to run: {name} is empty. Try {name}={_EXAMPLES[name]}.")
    return tuple(values)
