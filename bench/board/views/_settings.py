"""Columns that several views share: under what circumstances a row was measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.board.table import Column
from bench.board.values import Value
from bench.plan.rows import Axis
from bench.plan.scenarios import PROTOCOL
from bench.records.columns import FURTHER

_OTHER = 30
"""The place of most settings: they tell rows apart, where they differ."""


def _setting(
    heading: str, field: str, usual: Value = None, form: str = "", place: int = _OTHER
) -> Column[Any]:
    """A column that shows a field where it has another value than the usual one."""

    def shown(row: Any) -> Value:
        value: Value = getattr(row, field)
        return None if value == usual else value

    return Column(heading, shown, form, place=place)


_SETTINGS = {
    "protocol": _setting("protocol", "protocol", PROTOCOL),
    "dataset": _setting("data set", "dataset"),
    "scenario": _setting("scenario", "scenario"),
    "attacker": _setting("attacker", "attacker", place=3),
    "level": _setting("level", "level", "oblivious"),
    "encoder": _setting("encoder", "encoder", place=4),
    "detector": _setting("detector", "detector", "mtcnn"),
    "adaptation": _setting("adaptation", "adaptation", "none"),
    "dose": _setting("dose", "dose", 1, "g"),
    "distractors": _setting("distractors", "distractors", 0),
    "draw": _setting("draw", "draw", 0),
    "defense": _setting("defense", "defense", place=1),
    "surrogate": Column("surrogate", lambda row: "+".join(row.surrogate), place=_OTHER),
    "budget": _setting("budget", "budget"),
    "channel": _setting("channel", "channel"),
}
"""Field of a row -> its column."""


def further_settings(axes: Iterable[Axis] = FURTHER) -> tuple[Column[Any], ...]:
    """The columns of further options, see `bench.board.further`."""
    return tuple(
        _setting(row.name, row.name, row.before, "g" if row.kind.type is float else "") for row in axes
    )


def settings(*fields: str) -> tuple[Column[Any], ...]:
    """The columns of some fields, in this order."""
    return tuple(_SETTINGS[field] for field in fields)
