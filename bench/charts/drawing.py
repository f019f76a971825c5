"""Charts -> files of pictures, with their data beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.charts.chart import Chart, checked_ending, together
from bench.store.writing import write_output

INSTEAD: Final = "choose another --out"
"""What a user may do about a file that cannot be written."""

_OF_A_PAPER: Final = (".svg", ".pdf")


def draw(charts: Sequence[Chart], path: Path, *, data: bool = False) -> None:
    """Draw charts of one kind into a file.

    Args:
        charts: at least one.
        path: the file; its ending says the format.
        data: whether the rows are written beside it, as CSV.

    Raises:
        UserError: There is no such format, or the file cannot be written.
    """
    files = {path: together(charts, checked_ending(path.name))}
    files |= {path.with_suffix(".csv"): _rows(charts)} if data else {}
    write_output(files, f"the figure to {path}", instead=INSTEAD)


def draw_paper(figures: Mapping[str, Sequence[Chart]], folder: Path) -> list[Path]:
    """Draw the figures of a paper, each in the formats that papers take and with its data.

    Args:
        figures: name -> charts.
        folder: where to.

    Returns:
        The files.

    Raises:
        UserError: One cannot be written.
    """
    files: dict[Path, bytes] = {}
    for name, charts in figures.items():
        files |= {folder / f"{name}{ending}": together(charts, ending) for ending in _OF_A_PAPER}
        files[folder / f"{name}.csv"] = _rows(charts)
    write_output(files, f"figures to {folder}", instead=INSTEAD)
    return list(files)


def _rows(charts: Sequence[Chart]) -> bytes:
    """The rows of all charts below one heading."""
    texts = [chart.csv() for chart in charts]
    return (texts[0] + "".join(text.partition("\n")[2] for text in texts[1:])).encode()
