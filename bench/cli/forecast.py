"""A forecast in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.machine.progress import duration

if TYPE_CHECKING:
    from bench.costs.estimate import Estimate, Line
    from bench.engines.division import Division
    from bench.experiment.forecast import Cells, Detectable, Forecast

_MOST = 12
"""Tracks and kinds of work that are listed by name; the rest is counted."""


def lines(forecast: Forecast) -> Iterator[str]:
    """The lines of a forecast."""
    yield (
        f"cells: {forecast.cells:,} ({forecast.cached:,} cached, {forecast.skipped:,} skipped, "
        f"{forecast.to_compute:,} to compute)"
    )
    yield from (f"  {_track(track)}" for track in forecast.tracks[:_MOST])
    if len(forecast.tracks) > _MOST:
        yield f"  and {len(forecast.tracks) - _MOST} more; --format json lists all"
    yield f"users: {_joined(str(one.users) for one in forecast.detectable)}"
    yield f"photos to cloak: {forecast.cloaks:,} ({forecast.cloaks_cached:,} cached)"
    yield (
        f"photos to look at: {forecast.photos:,}, embeddings: {forecast.embeddings:,} "
        f"({forecast.embeddings_cached:,} cached)"
    )
    yield from _costs(forecast)
    yield from (_shown(one) for one in forecast.detectable)


def lines_of_division(division: Division) -> Iterator[str]:
    """The lines of how work is divided."""
    if not division.tasks:
        yield f"engine {division.engine}: nothing is to compute"
        return
    yield (
        f"engine {division.engine}: {division.tasks:,} tasks, up to {division.most:,} at once; "
        f"a worker holds up to {division.networks} networks"
    )
    yield (
        f"  by the clock {duration(division.seconds)} with {division.workers:,} workers, "
        f"{duration(division.alone)} with one, and never less than {duration(division.longest)}: "
        "simulated by what stages took, without the start of workers"
    )


def _track(track: Cells) -> str:
    states = [f"{track.cached:,} cached"] if track.cached else []
    states += [f"{track.skipped:,} skipped"] if track.skipped else []
    told = f" ({', '.join(states)})" if states else ""
    return f"{track.scenario}, {track.budget}, channel {track.channel}: {track.cells:,}{told}"


def _costs(forecast: Forecast) -> Iterator[str]:
    costs = forecast.estimate
    if not costs.lines:
        yield "time: nothing is to compute"
        return
    where = f"{forecast.device} ({forecast.machine})"
    yield f"time on {where}: {_whole(costs)}, of processors {_least(costs)}{duration(costs.core_seconds)}"
    for stage in dict.fromkeys(line.stage for line in costs.lines):
        yield f"  {stage}: {_sum(costs.stage(stage))}"
    if forecast.gpu_hours is not None:
        yield f"GPU-hours: {_least(costs)}{forecast.gpu_hours:.2f}"
    if costs.peak_memory_mib is not None:
        yield f"memory: up to {costs.peak_memory_mib / 1024:.1f} GiB in a process that did such work"
    yield from _sources(costs)


def _sources(costs: Estimate) -> Iterator[str]:
    for source, words in (
        ("similar work, measured here", "from similar work on this machine"),
        ("of another machine", "figures of another machine, because this one has not run it yet"),
        ("unknown", "of unknown cost, and not in the time"),
    ):
        kinds = list(dict.fromkeys(line.work for line in costs.lines if line.source == source))
        if kinds:
            more = f"; and {len(kinds) - _MOST} more" if len(kinds) > _MOST else ""
            yield f"{words}: {'; '.join(kinds[:_MOST])}{more}"


def _whole(costs: Estimate) -> str:
    return f"{_least(costs)}{duration(costs.seconds)}"


def _least(costs: Estimate) -> str:
    return "" if costs.complete else "at least "


def _sum(of: tuple[Line, ...]) -> str:
    known = [line.seconds for line in of if line.seconds is not None]
    if not known:
        return "unknown"
    return f"{'' if len(known) == len(of) else 'at least '}{duration(sum(known))}"


def _shown(one: Detectable) -> str:
    draws = f" in {one.draws} draws" if one.draws > 1 else ""
    pairs = "for one pair of defenses" if one.pairs == 1 else f"among {one.pairs} pairs of defenses"
    what = "none" if one.difference is None else f"{100 * one.difference:.0f} points"
    return f"smallest detectable difference: {what} ({one.users} users{draws}, {pairs})"


def _joined(words: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(words))
