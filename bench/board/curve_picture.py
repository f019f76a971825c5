"""A picture of curves with their intervals."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from bench.board.curves import AXES, Curve
from bench.errors import UserError
from bench.store.writing import write_output

INSTEAD = "choose another --out"
"""What a user may do about a file that cannot be written."""


def draw(path: Path, drawn: Sequence[Curve], axis: str) -> None:
    """Draw curves with their intervals; the name's end says the format, such as `.png` or `.svg`.

    Raises:
        UserError: for a format that there is not, or a file that cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, plot = pyplot.subplots(figsize=(11, max(5, 0.2 * len(drawn))), layout="constrained")
    for number, curve in enumerate(drawn):
        x = [point.x for point in curve.points]
        style = ("-", "--", ":")[number // 10 % 3]  # there are ten colours
        line = plot.plot(x, [p.value for p in curve.points], style, marker="o", label=curve.name)[0]
        ends = [(p.low, p.high) for p in curve.points if p.low is not None and p.high is not None]
        if len(ends) == len(x):
            low, high = zip(*ends, strict=True)
            plot.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    if axis == "distractors":
        plot.set_xscale("symlog", linthresh=100)
    figures = dict.fromkeys(curve.figure for curve in drawn)
    plot.set(xlabel=AXES[axis].label, ylabel=" / ".join(figures), ylim=(-0.03, 1.03))
    figure.legend(loc="outside right upper", fontsize="small")
    picture = io.BytesIO()
    try:
        figure.savefig(picture, dpi=120, format=path.suffix.removeprefix(".") or "png")
    except ValueError as error:
        raise UserError(f"cannot draw {path}: {error}. Try --out curve.png.") from error
    finally:
        pyplot.close(figure)
    write_output({path: picture.getvalue()}, f"the picture to {path}", instead=INSTEAD)
