"""What rows of panels are called in charts and on pages: short, and different where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bench.board.escaping import printable
from bench.board.figures import FIGURES
from bench.board.panel import PanelRow, Standing

HARDEST_FIRST: Final = ("black-box", "grey-box", "white-box", "none")
"""What a defense knew of the attacker's encoder, in the order in which tracks are told."""


def hardest_first(tracks: Sequence[Sequence[Standing]]) -> list[Sequence[Standing]]:
    """Tracks in the order in which they are told: defenses that knew nothing first."""
    return sorted(tracks, key=lambda track: HARDEST_FIRST.index(track[0].row.knowledge))


def row_names(rows: Sequence[Standing]) -> list[str]:
    """A name for each row of some tracks: its defense, and its surrogates and parameters where it needs them.

    Args:
        rows: of one or several tracks.
    """
    short = [standing.row.defense for standing in rows]
    with_surrogate = [_with_surrogate(standing.row) for standing in rows]
    variants = {
        name: len({v for s, v in zip(short, with_surrogate, strict=True) if s == name}) for name in short
    }
    names = [v if variants[s] > 1 else s for s, v in zip(short, with_surrogate, strict=True)]
    of_name: dict[str, list[str]] = {}
    for name, standing in zip(names, rows, strict=True):
        variant = repr(sorted(standing.first.defense.parameters.items(), key=lambda item: item[0]))
        seen = of_name.setdefault(name, [])
        seen += [] if variant in seen else [variant]
    return [printable(_numbered(n, of_name[n], standing)) for n, standing in zip(names, rows, strict=True)]


def _with_surrogate(row: PanelRow) -> str:
    return f"{row.defense} on {'+'.join(row.surrogate)}" if row.surrogate else row.defense


def _numbered(name: str, variants: Sequence[str], standing: Standing) -> str:
    if len(variants) == 1:
        return name
    variant = repr(sorted(standing.first.defense.parameters.items(), key=lambda item: item[0]))
    return f"{name} ({variants.index(variant) + 1})"


def setting(row: PanelRow, without: Sequence[str] = ()) -> str:
    """What a row was measured under, but for what the defense knew: data set, scenario, budget and so on.

    Args:
        row: of a panel.
        without: fields that are left out, such as `budget`.
    """
    parts = {
        "dataset": row.dataset,
        "scenario": row.scenario,
        "budget": f"budget {row.budget}",
        "dose": f"dose {row.dose:g}" if row.dose != 1 else "",
        "distractors": f"{row.distractors} strangers" if row.distractors else "",
    }
    return printable(", ".join(text for name, text in parts.items() if text and name not in without))


def rate_title(rows: Sequence[PanelRow]) -> str:
    """What the rates of some rows are, and which direction protects better."""
    title = FIGURES[rows[0].figure].title
    better = "lower" if FIGURES[rows[0].figure].clusters else "higher"
    kinds = Counter("chosen" if row.chosen is not None else "worst" for row in rows)
    ending = "max" if FIGURES[rows[0].figure].clusters else "min"
    words = {"chosen": f"{title}-chosen", "worst": f"{title}-{ending}"}
    return f"{' or '.join(words[kind] for kind in sorted(kinds))} ({better} protects better)"
