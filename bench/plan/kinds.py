"""What one value of an option may be: its type and its range, the same for every door."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar

from bench.store.folders import expanded


class Kind(ABC):
    """What one value of an option may be.

    Attributes:
        type: The type that a value has after it was read.
    """

    type: ClassVar[type]

    @property
    @abstractmethod
    def words(self) -> str:
        """What a value is, for messages and pages, such as `a whole number`."""

    @abstractmethod
    def read(self, value: object) -> Any:
        """Return the value as a plain Python one of `type`.

        Raises:
            ValueError: The value has another type, or is out of range.
        """


@dataclass(frozen=True)
class Text(Kind):
    """A text that is not empty.

    Attributes:
        words: What a text stands for.
        functions: Whether a Python function, or a plug-in that was made already, may stand in the place of a
            text.
    """

    type: ClassVar[type] = str
    words: str = "a name"
    functions: bool = False

    def read(self, value: object) -> object:
        """See `Kind.read`."""
        if self.functions and not isinstance(value, str):
            from bench.plan.chosen import Chosen  # only where one is asked for: it loads numpy

            if callable(value) or isinstance(value, Chosen):
                return value
        if isinstance(value, str) and value.strip():
            return str(value)
        raise ValueError(value)


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number; neither true nor false is one.

    Attributes:
        least: The smallest value.
    """

    type: ClassVar[type] = int
    least: int

    @property
    def words(self) -> str:
        """See `Kind.words`."""
        return f"a whole number of at least {self.least}"

    def read(self, value: object) -> int:
        """See `Kind.read`."""
        if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= self.least:
            return int(value)
        raise ValueError(value)


@dataclass(frozen=True)
class Number(Kind):
    """A finite number; neither true nor false is one.

    Attributes:
        above: A value is larger than this.
        most: The largest value.
    """

    type: ClassVar[type] = float
    above: float = -math.inf
    most: float = math.inf

    @property
    def words(self) -> str:
        """See `Kind.words`."""
        ends = [f"above {self.above:g}"] if math.isfinite(self.above) else []
        ends += [f"at most {self.most:g}"] if math.isfinite(self.most) else []
        return " ".join(["a number", " and ".join(ends)]).strip()

    def read(self, value: object) -> float:
        """See `Kind.read`."""
        if isinstance(value, Real) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                raise ValueError(value) from None
            if math.isfinite(number) and self.above < number <= self.most:
                return number
        raise ValueError(value)


@dataclass(frozen=True)
class Place(Kind):
    """The path of a file or a folder; `~` is the home folder, as in `--out=~/x`, which no shell expands."""

    type: ClassVar[type] = Path
    words: str = "a path"

    def read(self, value: object) -> Path:
        """See `Kind.read`."""
        # Path("") is the current folder; whoever gives an empty text does not mean it
        if isinstance(value, Path) or (isinstance(value, str) and value.strip()):
            return expanded(Path(value))
        raise ValueError(value)


@dataclass(frozen=True)
class Switch(Kind):
    """True or false."""

    type: ClassVar[type] = bool
    words: str = "true or false"

    def read(self, value: object) -> bool:
        """See `Kind.read`."""
        if isinstance(value, bool):
            return value
        raise ValueError(value)
