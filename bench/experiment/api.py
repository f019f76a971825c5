"""`bench.run`: a matrix of cells from Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from bench.experiment.files import INSTEAD, spare, write
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
    if out is not None:
        try_folder(out, instead=INSTEAD)
    result = execute(RunSpec(**given), begin=None if out is None else spare(out))
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
