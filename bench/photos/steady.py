"""A data set whose photos stay what they are for a whole run, or the run ends."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from bench.errors import cannot_read, patiently
from bench.protocols import Dataset
from bench.types import Catalogue, DatasetCard, Image


class Steady:
    """A data set with one digest a photo, and no other content than that digest's. See `Dataset`.

    Everything that is computed from a photo is stored under the photo's digest. A folder may go away, and a
    file may be cut or replaced, between the moment that its digest is taken and the moment that it is read.
    """

    def __init__(self, data: Dataset) -> None:
        """Store.

        Args:
            data: The data set as its plug-in opened it.
        """
        self._data = data
        self._digests: dict[str, str] = {}

    @cached_property
    def card(self) -> DatasetCard:
        """What is stated about the data set.

        Raises:
            PassingError: A photo cannot be read.
        """
        try:
            return patiently(lambda: self._data.card)
        except OSError as error:
            raise cannot_read(error) from error

    @cached_property
    def _catalogue(self) -> Catalogue:
        return self._data.catalogue()

    def catalogue(self) -> Catalogue:
        """Every photo and the person on it."""
        return self._catalogue

    def digest(self, photo: str) -> str:
        """The digest of a photo's content, as it was when it was first asked for.

        Raises:
            PassingError: The photo cannot be read, not even after about a second.
        """
        if photo not in self._digests:
            try:
                self._digests[photo] = patiently(lambda: self._data.digest(photo))
            except OSError as error:
                raise cannot_read(error, photo) from error
        return self._digests[photo]

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """Files or pixels of photos, each the one that its digest is of.

        Raises:
            PassingError: A photo cannot be read, or its file is another one, even after about a second.
        """
        try:
            contents = patiently(lambda: self._data.read(photos))
            return [self._checked(photo, content) for photo, content in zip(photos, contents, strict=True)]
        except OSError as error:
            raise cannot_read(error) from error

    def _checked(self, photo: str, content: bytes | Image) -> bytes | Image:
        """The content of a photo, or what comes of reading it again if that is of another digest.

        Raises:
            OSError: The photo has another content for about a second.
        """
        if self._is_the_same(photo, content):
            return content

        def again() -> bytes | Image:
            (other,) = self._data.read([photo])
            if not self._is_the_same(photo, other):
                raise OSError(errno.EBUSY, "it is no longer the file that it was when the run began", photo)
            return other

        try:
            return patiently(again)
        except OSError:
            forget: Any = getattr(self._data, "forget", None)
            if forget is not None:
                forget(photo)
            raise

    def _is_the_same(self, photo: str, content: bytes | Image) -> bool:
        """Whether a file has the photo's digest; pixels that a data set draws are taken as they come."""
        return not isinstance(content, bytes) or hashlib.sha256(content).hexdigest() == self.digest(photo)
