"""What a run takes: the pieces of work that it has, at their prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.costs.prices import Prices, Source
from bench.costs.work import STAGES, Work


@dataclass(frozen=True)
class Line:
    """One kind of work of a run.

    Attributes:
        stage: A value of `bench.costs.work.STAGES`.
        work: What is done, in words.
        pieces: How often.
        seconds: By the clock, all pieces together; None where nobody measured such work.
        core_seconds: Processor time, likewise.
        source: Where the figures are from.
    """

    stage: str
    work: str
    pieces: int
    seconds: float | None
    core_seconds: float | None
    source: Source


@dataclass(frozen=True)
class Estimate:
    """What a run takes.

    Attributes:
        lines: Its kinds of work.
        seconds: By the clock; of work that was measured.
        core_seconds: Processor time, likewise.
        complete: Whether all of its work was measured somewhere; otherwise it takes at least so much.
        peak_memory_mib: The largest peak of a process that did such work; None where there is no work.
    """

    lines: tuple[Line, ...]
    seconds: float
    core_seconds: float
    complete: bool
    peak_memory_mib: float | None

    def stage(self, name: str) -> tuple[Line, ...]:
        """The lines of a stage."""
        return tuple(line for line in self.lines if line.stage == name)


def estimate(ledger: Iterable[tuple[Work, int]], prices: Prices) -> Estimate:
    """What pieces of work take together.

    Args:
        ledger: Kinds of work, and how many pieces of each.
        prices: What a piece of each costs.
    """
    lines, peaks = [], []
    for work, pieces in sorted(ledger, key=lambda entry: list(STAGES).index(entry[0].kind)):
        price = prices.of(work)
        seconds = price.start.seconds + pieces * price.piece.seconds
        cores = price.start.core_seconds + pieces * price.piece.core_seconds
        measured = price.source != "unknown"
        peaks.append(price.peak_memory_mib)
        lines.append(
            Line(
                STAGES[work.kind],
                worded(work),
                pieces,
                seconds if measured else None,
                cores if measured else None,
                price.source,
            )
        )
    return Estimate(
        tuple(lines),
        sum(line.seconds or 0.0 for line in lines),
        sum(line.core_seconds or 0.0 for line in lines),
        all(line.seconds is not None for line in lines),
        max(peaks, default=None) or None,
    )


def worded(work: Work) -> str:
    """A kind of work in words."""
    noun = work.noun
    words: dict[str, Callable[[], str]] = {
        "start": lambda: "look up a cell",
        "cloak": lambda: f"cloak a photo: {noun['defense']}",
        "measure": lambda: "measure what changed in a photo",
        "detect": lambda: f"find the face in a photo: {noun['detector']}",
        "read": lambda: "read a photo",
        "embed": lambda: f"embed a face: {noun['encoder']}",
        "residuals": lambda: "look for a cloak in a photo",
        "train": lambda: f"train {noun['encoder']}: {'+'.join(map(str, _listed(noun['ways'])))}",
        "denoise": lambda: f"train a denoiser: {noun['steps']} steps",
        "answer": lambda: f"ask {noun['attacker']} about {work.size:,} photos",
        "attack": lambda: f"tune and judge {noun['attacker']} on {work.size:,} photos",
    }
    return words[work.kind]()


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
