"""The steps between release and embedding: `none`, `jpeg:75`, `resize:0.5+jpeg:75`, `tv:0.1` and more.

A channel is a platform or a purifier, or a chain of both. A platform lies between release and attacker and
touches released photos only; the attacker has the rest of its collection from elsewhere. A purifier is the
attacker's own step. It runs on everything that the attacker holds, the clean photos and the calibration
photos among them (design/007). In a chain the purifiers come last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise

from bench.channels.learned import LearnedDenoiser
from bench.channels.platforms import Direct, Jpeg
from bench.channels.protocol import Channel
from bench.channels.rows import ROWS
from bench.errors import UserError, unknown_name
from bench.parameters import Plain, plain
from bench.store.code import code_of
from bench.store.digests import versions
from bench.types import Image

__all__ = [
    "ROWS",
    "Chain",
    "Channel",
    "Direct",
    "Jpeg",
    "LearnedDenoiser",
    "divided",
    "learner",
    "parse",
    "platform",
    "purifier",
    "stamp",
    "with_state",
]


@dataclass(frozen=True)
class Chain:
    """Several channels in order.

    Attributes:
        steps: The channels, at least two.
    """

    steps: tuple[Channel, ...]

    @property
    def purifier(self) -> bool:
        """Whether every step is the attacker's. `divided` splits a chain of both kinds."""
        return all(step.purifier for step in self.steps)

    @property
    def libraries(self) -> tuple[str, ...]:
        """The libraries of all steps."""
        return tuple(sorted({name for step in self.steps for name in step.libraries}))

    def __call__(self, photo: Image) -> Image:
        """Pass one photo, uint8 [height, width, 3], through every step."""
        for step in self.steps:
            photo = step(photo)
        return photo

    def __str__(self) -> str:
        return "+".join(map(str, self.steps))


def parse(text: str) -> Channel:
    """Read `NAME`, `NAME:PARAMETER`, or several joined by `+`. `none` in a chain is left out.

    Raises:
        UserError: A name does not exist, a channel does not allow its parameter, or a chain has two denoisers
            or a platform behind a purifier.
    """
    steps = _without_none([_step(part, text) for part in text.split("+")])
    for before, after in pairwise(steps):
        if before.purifier and not after.purifier:
            raise UserError(
                f"channel {text!r}: {str(before)!r} is the attacker's purifier, and no platform follows it. "
                f"Try --channel {after}+{before}."
            )
    if sum(isinstance(step, LearnedDenoiser) for step in steps) > 1:
        raise UserError(f"channel {text!r}: one denoiser is enough. Try --channel denoiser:600.")
    return _joined(steps)


def divided(channel: Channel) -> tuple[Channel, Channel]:
    """Split a channel into the platform, run on released photos, and the purifier, run on everything.

    Either of the two is `none` where the channel has none.
    """
    steps = _steps(channel)
    return _joined([s for s in steps if not s.purifier]), _joined([s for s in steps if s.purifier])


def platform(text: str) -> Channel:
    """What lies between release and attacker in a channel as `parse` reads it."""
    return divided(parse(text))[0]


def purifier(text: str) -> Channel:
    """The attacker's own step before it looks in a channel as `parse` reads it."""
    return divided(parse(text))[1]


def learner(channel: Channel) -> LearnedDenoiser | None:
    """The step that has to be trained, if there is one."""
    return next((step for step in _steps(channel) if isinstance(step, LearnedDenoiser)), None)


def with_state(channel: Channel, state: bytes, device: str = "cpu") -> Channel:
    """The same channel with its learned step trained.

    Args:
        channel: A channel with a learned step.
        state: The weights, from `bench.channels.denoiser.train`.
        device: The device that the learned step runs on.
    """
    return _joined(
        [
            replace(step, state=state, device=device) if isinstance(step, LearnedDenoiser) else step
            for step in _steps(channel)
        ]
    )


def stamp(channel: Channel) -> Plain:
    """Everything that decides a channel's result but the photo: name, code, libraries and learned weights."""
    trained = learner(channel)
    learned: list[Plain] = []
    if trained:
        learned = [sha256(trained.state).hexdigest(), trained.device.partition(":")[0]]
    return [str(channel), code_of(__name__), plain(versions(channel.libraries)), learned]


def _steps(channel: Channel) -> Sequence[Channel]:
    return channel.steps if isinstance(channel, Chain) else _without_none([channel])


def _without_none(steps: Sequence[Channel]) -> list[Channel]:
    return [step for step in steps if not isinstance(step, Direct)]


def _joined(steps: Sequence[Channel]) -> Channel:
    if len(steps) > 1:
        return Chain(tuple(steps))
    return steps[0] if steps else Direct()


def _step(part: str, text: str) -> Channel:
    name, colon, value = part.partition(":")
    if name not in ROWS:
        names = [
            f"{row.name}:{value or row.example.partition(':')[2]}" if row.parameter else row.name
            for row in ROWS.values()
        ]
        raise unknown_name("channel", part, names, command="bench list channels")
    row = ROWS[name]
    try:
        if bool(row.parameter) != bool(colon or row.default):
            raise ValueError(part)
        return row.make(value if colon else row.default)
    except ValueError:
        raise UserError(f"channel {text!r}: {row.rule}. Try --channel {row.example}.") from None
