"""Boxes of faces: from a table's pixels of the file to pixels of the upright photo."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence

import PIL.Image

from bench.containers import contained
from bench.errors import cannot_read
from bench.types import Box


class Boxes(Mapping[str, Box]):
    """Photo -> box in pixels of the upright photo; looking a box up reads the photo's file.

    A box that lies partly outside its photo is cut. A photo has no box if the box lies outside the photo, or
    if the file holds no photo.
    """

    def __init__(self, stored: Mapping[str, Box], content: Callable[[str], bytes]) -> None:
        """Store.

        Args:
            stored: Photo -> x0, y0, x1, y1 in pixels of the file.
            content: Photo -> its file, the very one that its digest is of.
        """
        self._stored, self._content = stored, content
        self._seen: dict[str, Box | None] = {}

    def __getitem__(self, photo: str) -> Box:
        if photo not in self._seen:
            self._seen[photo] = self._within(photo)
        box = self._seen[photo]
        if box is None:
            raise KeyError(photo)
        return box

    def __bool__(self) -> bool:
        return bool(self._stored)  # counting the boxes would read the head of every photo

    def _within(self, photo: str) -> Box | None:
        if photo not in self._stored:
            return None
        content = contained(self._content(photo))
        try:
            with PIL.Image.open(io.BytesIO(content.picture)) as file:
                width, height = file.size
        except Exception as error:  # readers of broken files raise whatever they come across
            if isinstance(error, OSError) and error.errno is not None:
                raise cannot_read(error, photo) from error  # the system's fault, not the file's
            return None  # the photo's outcome says what is wrong with the file
        x0, y0, x1, y1 = self._stored[photo]
        cut = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
        inside = cut[0] < cut[2] and cut[1] < cut[3]
        return upright(cut, (width, height), content.orientation) if inside else None

    def __iter__(self) -> Iterator[str]:
        return (photo for photo in self._stored if photo in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def upright(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """The box in the photo that is turned as its EXIF orientation says.

    Args:
        box: x0, y0, x1, y1 in the stored pixels.
        size: Width and height as stored.
        orientation: 1 to 8; any other value turns nothing.
    """
    x0, y0, x1, y1 = box
    width, height = size
    if orientation in (2, 3, 7, 8):  # mirrored from left to right, once or as half of a turn
        x0, x1 = width - x1, width - x0
    if orientation in (3, 4, 6, 7):
        y0, y1 = height - y1, height - y0
    if orientation in (5, 6, 7, 8):  # rows become columns
        x0, y0, x1, y1 = y0, x0, y1, x1
    return x0, y0, x1, y1


def marked(points: Sequence[float]) -> Box:
    """A box around five landmarks, for a table that has landmarks and no box.

    The landmarks' own box grows by half its width to each side, by its height above and by half its height
    below: eyes to mouth are about the middle two fifths of a face. The box is exact enough to tell the faces
    in one photo apart, and for nothing else.

    Args:
        points: x, y of each landmark, one after the other.
    """
    xs, ys = points[0::2], points[1::2]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    return min(xs) - width / 2, min(ys) - height, max(xs) + width / 2, max(ys) + height / 2
