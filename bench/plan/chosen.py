"""Something that a run chose by name, with every parameter that it resolved to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from bench.adaptations.chains import Chain
from bench.parameters import Plain, resolved
from bench.plan.composition import Composition
from bench.plan.reached import Reached, reached
from bench.protocols import Kit
from bench.store.digests import Canonical
from bench.types import BUDGETS, Album, Image, PluginCard

UserFunction = Callable[[list[Image]], Sequence[Image]]
"""A defense from Python: one user's photos, uint8 [height, width, 3] each, to as many of the same shapes."""


@dataclass(frozen=True)
class FunctionDefense:
    """A defense that is any function of one user's photos: list of [h, w, 3] uint8 -> as many of the same.

    It is called anew in every run: nobody can know what else the function reads.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="a function", source="the caller's", budgets=tuple(BUDGETS)
    )

    function: UserFunction
    reached: Reached = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Follow the function to what it reads, once: it may change what it reads when it is called."""
        object.__setattr__(self, "reached", reached(self.function))

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        del kit
        return [list(self.function([photo.copy() for photo in album.photos])) for album in albums]


@dataclass(frozen=True)
class Chosen:
    """A plug-in by name, with what it resolved to."""

    name: str
    plugin: Any

    @property
    def parameters(self) -> dict[str, Plain]:
        """Every parameter; for a function, the digest of what it reads, and the names of what has none."""
        if isinstance(self.plugin, Chain | Composition):
            return self.plugin.parameters
        if isinstance(self.plugin, FunctionDefense):
            seen, unseen = self.plugin.reached.digest, self.plugin.reached.unseen
            return {"source": seen, **({"unseen": list(unseen)} if unseen else {})}
        return resolved(self.plugin)

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules whose code decides what the plug-in does: a key holds them and what they import."""
        if isinstance(self.plugin, Composition):
            return self.plugin.modules
        return (type(self.plugin).__module__,)

    @property
    def needs_lpips(self) -> bool:
        """Whether a defense measures LPIPS while it cloaks, see `bench.protocols.Defense`."""
        return bool(self.plugin.needs_lpips()) if hasattr(self.plugin, "needs_lpips") else False

    @cached_property
    def written(self) -> Canonical:
        """What `described` says, for digests of many cells."""
        return Canonical.of(self.described())

    def described(self) -> dict[str, Plain]:
        """For digests and records."""
        return {"name": self.name, "parameters": self.parameters}
