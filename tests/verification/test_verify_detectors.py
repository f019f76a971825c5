"""An encoder is verified with the detector that its card names, and only where that one is here."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from bench.encoders.families import dlib
from bench.errors import UserError
from bench.faces.detectors import hog
from bench.types import Folders
from bench.verification.verify import VerificationSpec, verify

SMALL = VerificationSpec((), "synthetic:people=20,photos-each=2", pairs=20)

pytestmark = pytest.mark.skipif(
    find_spec("dlib") is None or dlib.FAMILY.present(dlib.CARD, Folders(home="/nowhere")) is None,
    reason="needs the extra dlib: pip install 'cloakbench[dlib]'",
)


def test_each_record_has_the_detector_of_its_encoder() -> None:
    found = verify(VerificationSpec(("dlib", "synth-ir"), SMALL.dataset, pairs=20)).records
    assert {record.encoder.name: record.detector.name for record in found} == {
        "dlib": "hog",
        "synth-ir": "mtcnn",
    }


def test_without_its_detector_an_encoder_is_a_fault_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("BENCH_REAL_DATA", raising=False)
    monkeypatch.setattr(hog, "find_spec", lambda name: None)
    made = verify(SMALL)
    assert [record.encoder.name for record in made.records] == ["synth-inc", "synth-ir", "synth-vit"]
    (fault,) = made.faults
    assert "encoder 'dlib'" in str(fault)
    assert "pip install 'cloakbench[dlib]'" in str(fault)
    with pytest.raises(UserError, match="the package dlib is not installed"):
        verify(VerificationSpec(("dlib",), SMALL.dataset, pairs=20))
