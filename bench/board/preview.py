"""A picture of a cloak: before, after, and the difference amplified, for a few users."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from bench.errors import UserError
from bench.store.writing import write_output
from bench.types import Image

AMPLIFY = 8
"""How much larger the difference is drawn; grey is no change."""

INSTEAD = "choose another --preview"
"""What a user may do about a file that cannot be written."""

_FORMS = {"": "PNG", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_GAP, _HEAD = 6, 22


def form(path: Path) -> str:
    """The format that the ending of a name stands for, in Pillow's words; PNG for a name without ending.

    Raises:
        UserError: No picture of that ending can be drawn.
    """
    ending = path.suffix.lower()
    if ending not in _FORMS:
        raise UserError(
            f"--preview {path}: no picture is drawn as {ending}. Choose {', '.join(filter(None, _FORMS))}."
        )
    return _FORMS[ending]


def draw(path: Path, pairs: Sequence[tuple[str, Image, Image]]) -> None:
    """Write a picture with one column a pair, see `sheet`.

    Args:
        path: where to; its ending says the format, see `form`.
        pairs: as in `sheet`.

    Raises:
        UserError: if there is nothing to show, or the file cannot be written.
    """
    if not pairs:
        raise UserError(
            f"nothing to show in {path}: no defense of this run changed a photo. "
            "Add one, such as --defense noise."
        )
    write_output({path: sheet(pairs, form(path))}, f"the preview to {path}", instead=INSTEAD)


def sheet(pairs: Sequence[tuple[str, Image, Image]], form: str) -> bytes:
    """A picture with one column a pair: original, released, difference.

    Args:
        pairs: a caption (the defense), the original and the released photo of the same shape; at least one.
        form: of the picture, in Pillow's words.
    """
    height = max(before.shape[0] for _, before, _ in pairs)
    width = max(before.shape[1] for _, before, _ in pairs)
    rows = ("before", "after", f"difference x{AMPLIFY}")
    side = 92
    whole = Pillow.new(
        "RGB",
        (side + len(pairs) * (width + _GAP), _HEAD + len(rows) * (height + _GAP)),
        "white",
    )
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(12)
    for row, label in enumerate(rows):
        pen.text((4, _HEAD + row * (height + _GAP) + height // 2), label, "black", font)
    for column, (caption, before, after) in enumerate(pairs):
        x = side + column * (width + _GAP)
        pen.text((x + 2, 4), caption, "black", font)
        change = after.astype(np.int16) - before.astype(np.int16)
        shown = np.clip(128 + AMPLIFY * change, 0, 255).astype(np.uint8)
        for row, photo in enumerate((before, after, shown)):
            whole.paste(Pillow.fromarray(photo), (x, _HEAD + row * (height + _GAP)))
    picture = io.BytesIO()
    whole.save(picture, form, quality=95)
    return picture.getvalue()
