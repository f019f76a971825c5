"""`bench.run` and `bench.score`: cells from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from bench.experiment.files import INSTEAD, spare, write
from bench.experiment.score import Cloaks, prepared
from bench.experiment.session import execute
from bench.experiment.signature import ARGUMENTS, described, signature
from bench.plan.doors import PYTHON
from bench.plan.spec import RunSpec, read_options
from bench.records.files import Records
from bench.store.writing import try_folder

if TYPE_CHECKING:
    from bench.experiment.options import RunOptions


class CellsFailed(BaseExceptionGroup[BaseException]):
    """What made cells of a run fail.

    Attributes:
        records: The records of all cells, those that went well among them.
    """

    records: Records

    def __new__(cls, message: str, faults: Sequence[BaseException], records: Records) -> CellsFailed:
        """A group with the records beside it."""
        group = super().__new__(cls, message, faults)
        group.records = records
        return group


def run(**options: Unpack[RunOptions]) -> Records:
    """Run a matrix of cells from Python.

    Args:
        options: The options of `bench run`, as `bench.experiment.signature.ARGUMENTS` lists them.

    Raises:
        UserError: There is no such argument, or anything else that the caller can mend.
        CellsFailed: Cells failed, after all others ran; its `records` are those of all cells.
    """
    given = read_options(options, PYTHON, ARGUMENTS)
    out = given.pop("out", None)
    return _carried_out(lambda: RunSpec(**given), out)


def score(
    originals: str | Path,
    cloaked: str | Path,
    *,
    tool: str,
    tool_version: str,
    pairs: str | Path | None = None,
    own_cloaks: str | Path | None = None,
    **options: Unpack[RunOptions],
) -> Records:
    """Score cloaks that any tool made: the files of one folder beside the photos of another.

    Args:
        originals: The folder of the photos as they were, one sub-folder a user.
        cloaked: The folder of what the tool made of them, paired by name.
        tool: The tool's name.
        tool_version: The tool's version.
        pairs: A CSV with the columns `original` and `cloaked`, where names do not tell.
        own_cloaks: What the tool made of other people's photos, for attackers who know the tool.
        options: The options of `bench run`. `dataset` has to be given: it is whose people are around the
            users. `defense` names those that stand beside the tool.

    Returns:
        The records of all cells, those of the tool first.

    Raises:
        UserError: Nothing can be paired, or anything else that the caller can mend.
        CellsFailed: Cells failed, after all others ran; its `records` are those of all cells.
    """
    given = read_options(options, PYTHON, ARGUMENTS)
    out = given.pop("out", None)
    own = None if own_cloaks is None else Path(own_cloaks)
    table = None if pairs is None else Path(pairs)
    cloaks = Cloaks(Path(originals), Path(cloaked), tool, tool_version, table, own)
    return _carried_out(lambda: prepared(cloaks, given).spec, out)


def _carried_out(spec: Callable[[], RunSpec], out: Path | None) -> Records:
    """The records of a run, which are written to a folder if there is one."""
    if out is not None:
        try_folder(out, instead=INSTEAD)
    result = execute(spec(), begin=None if out is None else spare(out))
    if out is not None:
        write(result, out)
    if result.faults:
        raise CellsFailed("cells failed; the others are kept", result.faults, result.records)
    return result.records


vars(run)["__signature__"] = signature()
run.__doc__ = f"""Run a matrix of cells from Python; the arguments are the options of `bench run`.

    Args:
{described()}

    Returns:
        The records of all cells, in the order of the matrix.

    Raises:
        UserError: There is no such argument, or anything else that the caller can mend.
        CellsFailed: Cells failed, after all others ran; its `records` are those of all cells.
    """
