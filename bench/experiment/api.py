"""`bench.run`: a matrix of cells from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.experiment.files import write
from bench.experiment.session import execute
from bench.plan.chosen import UserFunction
from bench.plan.spec import RunSpec
from bench.records.files import Records

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
    result = execute(spec)
    if out is not None:
        write(result, Path(out))
    if result.faults:
        raise CellsFailed("cells failed; the others are kept", result.faults, result.records)
    return result.records


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
