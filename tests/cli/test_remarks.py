"""What other libraries remark is not said to the user; what the bench says is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.mark.parametrize("library", ["matplotlib.font_manager", "PIL.Image", "onnx", "benchmark", "a.bench"])
def test_a_library_is_not_heard(library: str, bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def remarks(*given: object) -> list[tuple[str, str]]:
        logging.getLogger(library).warning("building the font cache; this may take a moment")
        logging.getLogger("bench.optim").warning("photo %s has no cloak", "3f")
        return [("name", "line")]

    monkeypatch.setattr("bench.inventory.names.listed", remarks)
    done = bench("list", "levels")
    assert done.status == 0, done
    assert done.told() == ["bench: photo 3f has no cloak"]
