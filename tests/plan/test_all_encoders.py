"""`all` stands for every encoder that is ready and made for the data set's kind of photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import encoders
from bench.errors import UserError
from bench.plan import encoder_axes
from bench.types import Folders


def test_on_drawn_faces_it_is_the_built_in_ones(tmp_path: Path) -> None:
    here = Folders(home=str(tmp_path))
    assert encoder_axes._named("all", "synthetic", here) == encoders.built_in()
    assert encoder_axes._named("weighted:all", "synthetic", here) == [
        "weighted:" + "+".join(encoders.built_in())
    ]
    assert encoder_axes._named("synth-ir", "synthetic", here) == ["synth-ir"]


def test_on_real_photos_it_is_every_other_one_that_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Folders(home=str(tmp_path))
    cards = {card.name: card for card, _ in encoders.availability(here)}
    states = [
        (cards["synth-ir"], encoders.READY),
        (cards["mobileface_v3"], encoders.READY),
        (cards["buffalo_l"], "missing: type this"),
        (cards["mfn_espdl"], encoders.READY),
    ]
    monkeypatch.setattr(encoders, "availability", lambda folders: states)
    assert encoder_axes._named("all", "lfw", here) == ["mobileface_v3", "mfn_espdl"]
    assert encoder_axes._named("mean:all", "lfw", here) == ["mean:mobileface_v3+mfn_espdl"]
    monkeypatch.setattr(encoders, "availability", lambda folders: states[:1])
    with pytest.raises(
        UserError, match=r"no encoder for photos of data set 'lfw' is ready.*cloakbench\[dlib\]"
    ):
        encoder_axes._named("all", "lfw", here)
