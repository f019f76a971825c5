"""The key of a network that an attacker trained further: everything that decides its weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from bench import adaptations, encoders
from bench.adaptations.chains import Parts
from bench.faces.finder import FaceFinder
from bench.machine.progress import Silent
from bench.photos.collection import Photos
from bench.recognition import trained
from bench.recognition.observer import Observer
from bench.store.cache import Cache
from bench.store.code import closure, stage_code
from bench.types import Crop, EncoderCard, Folders, Preprocessing

PHOTOS = Photos(("a", "b", "c"), lambda wanted: [b""] * len(wanted))
PEOPLE = np.array([0, 0, 1])
BOX = (1.0, 2.0, 30.0, 40.0)


class Pool:
    """Knows every network, so that none is trained."""

    def __init__(self, device: str) -> None:
        self.device = device

    def knows(self, card: EncoderCard) -> bool:
        return True


class Watcher:
    """The part of an observer that a key needs."""

    def __init__(self, device: str, detector: str) -> None:
        self.pool = Pool(device)
        self.finder = FaceFinder(Folders(home=""), cast(Cache, None), device, Silent(), detector)


def key(tmp_path: Path, **changes: Any) -> str:
    """The digest of a trained network, of the plainest things but for what is given."""
    card = replace(encoders.lookup("synth-ir")[1], **changes.get("card", {}))
    return trained.trained_card(
        card,
        Parts.of(adaptations.make(changes.get("how", "adversarial"))[1]).training,
        changes.get("lessons", [(PHOTOS, PEOPLE)]),
        changes.get("seed", 0),
        cast(Observer, Watcher(changes.get("device", "cpu"), changes.get("detector", "mtcnn"))),
        Cache(tmp_path),
        Silent(),
    ).sha256


CHANGES: dict[str, dict[str, Any]] = {
    "crop": {"card": {"crop": Crop(size=112, kind="box", margin=8.0)}},
    "colour": {"card": {"preprocessing": Preprocessing(colour="bgr")}},
    "mean": {"card": {"preprocessing": Preprocessing(mean=(1.0, 2.0, 3.0))}},
    "weights": {"card": {"sha256": 64 * "0"}},
    "boxes": {"lessons": [(replace(PHOTOS, boxes=(BOX, None, None)), PEOPLE)]},
    "photos": {"lessons": [(replace(PHOTOS, digests=("a", "b", "d")), PEOPLE)]},
    "people": {"lessons": [(PHOTOS, np.array([0, 1, 1]))]},
    "order": {"lessons": [(replace(PHOTOS, digests=("b", "a", "c")), PEOPLE)]},
    "more": {"lessons": [(PHOTOS, PEOPLE), (PHOTOS, PEOPLE)]},
    "way": {"how": "finetune"},
    "both ways": {"how": "adversarial+finetune"},
    "both ways, the other first": {"how": "finetune+adversarial"},
    "radius": {"how": "adversarial:radius=5"},
    "seed": {"seed": 1},
    "detector": {"detector": "yunet"},
    "device": {"device": "cuda:1"},
}


def test_everything_that_decides_the_weights_changes_the_key(tmp_path: Path) -> None:
    keys = {name: key(tmp_path, **change) for name, change in CHANGES.items()}
    assert len({key(tmp_path), *keys.values()}) == len(keys) + 1
    # which card of a GPU it is decides nothing
    assert key(tmp_path, device="cuda") == keys["device"]


@pytest.mark.parametrize(
    "module",
    [
        *("bench.faces.detect", "bench.faces.align", "bench.photos.decode"),
        *("bench.adaptations.training", "bench.adaptations.robustness", "bench.machine.workers"),
    ],
)
def test_so_does_the_code_from_photo_to_weights(module: str) -> None:
    assert module in closure(trained.__name__)


def test_a_changed_module_is_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(tmp_path)
    monkeypatch.setattr(
        "bench.recognition.trained.stage_code", lambda *modules: [*stage_code(*modules), "changed"]
    )
    assert key(tmp_path) != before


def test_folders_are_in_no_key(tmp_path: Path) -> None:
    assert key(tmp_path) == key(tmp_path / "elsewhere")
    assert str(Folders(home=str(tmp_path))) not in key(tmp_path)
