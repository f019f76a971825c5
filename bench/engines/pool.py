"""Where tasks are done: what every pool of workers has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.engines.tasks import Answer, Task


@dataclass(frozen=True)
class Ended:
    """How a task ended.

    Attributes:
        task: Which one.
        answer: What the worker said; None where it said nothing and is gone.
        lost: Why there is no answer; empty where there is one.
    """

    task: Task
    answer: Answer | None
    lost: str = ""


class Pool(Protocol):
    """Workers that do tasks."""

    @property
    def places(self) -> int:
        """How many tasks may be at work or wait there at once."""

    def submit(self, tasks: Sequence[Task]) -> None:
        """Hand over tasks.

        Raises:
            UserError: They cannot be handed over.
        """

    def wait(self) -> list[Ended]:
        """Wait until a task ends; those that have ended.

        Raises:
            UserError: There are no workers any more.
        """

    def close(self) -> None:
        """End all workers, at once."""
