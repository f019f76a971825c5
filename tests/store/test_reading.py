"""Texts of users: a byte order mark, which some editors put before a text, is no part of it."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.encoders.card_schema import read as read_card
from bench.plan import suites
from bench.records import read as read_records
from bench.verification.pairs import read_list

CARD = 'architecture = "é"\ntraining_set = ""\nlicence = "MIT"\nsource = "x"\ndimensions = 5\n'
TEXTS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "card": (CARD, read_card),
    "suite": (
        '[[run]]\ndefense = ["none"]\nattacker = ["dbscan"]\n',
        lambda path: suites.load(str(path), {}),
    ),
    "records": ('{"schema_version": 2, "cells": []}', lambda path: list(read_records(path))),
    "pairs": ("2\t1\n" + 2 * "A\t1\t2\nA\t1\tB\t1\n", read_list),
}


@pytest.mark.parametrize(("text", "read"), TEXTS.values(), ids=TEXTS)
def test_a_byte_order_mark_is_not_read(text: str, read: Callable[[Path], object], tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain", tmp_path / "marked"
    plain.write_text(text, encoding="utf-8")
    marked.write_bytes(codecs.BOM_UTF8 + text.encode())
    assert read(marked) == read(plain)
