"""Something that a run chose by name, with every parameter that it resolved to."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.parameters import Plain, resolved
from bench.protocols import Kit
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

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        del kit
        return [list(self.function([photo.copy() for photo in album.photos])) for album in albums]

    @property
    def source_digest(self) -> str:
        """Hex sha256 of the function's source text, or of its byte code where there is no text."""
        try:
            text = inspect.getsource(self.function).encode()
        except (OSError, TypeError):
            code = getattr(self.function, "__code__", None)
            text = code.co_code if code is not None else repr(type(self.function)).encode()
        return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True)
class Chosen:
    """A plug-in by name, with what it resolved to."""

    name: str
    plugin: Any

    @property
    def parameters(self) -> dict[str, Plain]:
        """Every parameter; for a function, the digest of its source."""
        if isinstance(self.plugin, FunctionDefense):
            return {"source": self.plugin.source_digest}
        return resolved(self.plugin)

    def described(self) -> dict[str, Plain]:
        """For digests and records."""
        return {"name": self.name, "parameters": self.parameters}
