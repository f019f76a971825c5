"""What this project measured of encoders that it did not make: figures for their cards.

`measured.json` is written by `python -m bench.verification FOLDER` from records that `bench verify` wrote.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

from bench.types import EncoderCard

FILE = Path(__file__).with_name("measured.json")


def with_figures(card: EncoderCard) -> EncoderCard:
    """The card with its figures, if these very weights were measured; else the card as it is."""
    figures = _figures().get(card.sha256)
    return card if figures is None else replace(card, measured=figures)


@cache
def _figures() -> dict[str, dict[str, object]]:
    """Digest of weights -> figures."""
    figures: dict[str, dict[str, object]] = json.loads(FILE.read_text(encoding="utf-8"))
    return figures
