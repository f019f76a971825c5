"""insightface's packs: where they are looked for, and that their files are read as insightface reads them.

The networks are drawn at random here: of the packs' interface, not of their size.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import bench.encoders
from bench.encoders import trial_run
from bench.encoders.families import insightface_packs
from bench.encoders.preprocessing import sample
from bench.errors import UserError
from bench.torchvision_compat import ensure
from bench.types import EncoderCard, Folders


def export(path: Path, *, size: int = 112, dimensions: int = 512, scales_itself: bool = False) -> Path:
    """A network with the interface of a pack's file; the old ones have (x - 127.5) / 128 in the graph."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(
                nn.Conv2d(3, 8, 3, 2, 1), nn.PReLU(8), nn.AdaptiveAvgPool2d(4), nn.Flatten()
            )
            self.head = nn.Linear(128, dimensions)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if scales_itself:
                x = (x - 127.5) * 0.0078125
            out: torch.Tensor = self.head(self.layers(x))
            return out

    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(), warnings.catch_warnings():
        torch.manual_seed(3)
        warnings.simplefilter("ignore", DeprecationWarning)
        crops = (torch.rand(2, 3, size, size),)
        axes = {"input.1": {0: "n"}}
        torch.onnx.export(
            *(Net().eval(), crops, str(path)),
            input_names=["input.1"],
            dynamic_axes=axes,
            opset_version=11,
            dynamo=False,
        )
    if scales_itself:
        import onnx

        model = onnx.load(path)
        for node in model.graph.node[:8]:
            node.name = {"Sub": "_minusscalar0", "Mul": "_mulscalar0"}.get(node.op_type, node.name)
        onnx.save(model, path)
    return path


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user whose home is empty."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    return tmp_path / "user"


def state(card: EncoderCard, folders: Folders) -> str:
    return {listed.name: state for listed, state in bench.encoders.availability(folders)}[card.name]


@pytest.mark.parametrize(
    "place", ["real/weights/{0}", "home/weights/{0}", "home/weights/{0}/{0}", "user/.insightface/models/{0}"]
)
@pytest.mark.parametrize("card", insightface_packs.FAMILY.stated, ids=lambda card: card.name)
def test_packs_are_found(card: EncoderCard, place: str, folders: Folders, tmp_path: Path) -> None:
    path = tmp_path / place.format(card.name) / insightface_packs.FILES[card.name]
    path.parent.mkdir(parents=True)
    _, card = bench.encoders.lookup(card.name)
    assert bench.encoders.present(card, folders) is None
    assert state(card, folders) != bench.encoders.READY
    path.write_bytes(b"")
    assert bench.encoders.present(card, folders) == path
    assert state(card, folders) == bench.encoders.READY


def test_a_missing_pack_says_where_it_was_looked_for_and_what_to_type(folders: Folders) -> None:
    with pytest.raises(UserError) as caught:
        bench.encoders.ready("buffalo_l", folders)
    message = str(caught.value)
    for part in (
        "real/weights or",
        "home/weights or",
        "user/.insightface/models:",
        "bench fetch buffalo_l, or put",
    ):
        assert part in message
    assert "buffalo_l/w600k_r50.onnx" in message
    assert "\n" not in message


def test_embeddings_are_those_of_insightface(folders: Folders, tmp_path: Path) -> None:
    ensure()
    from insightface.model_zoo import ArcFaceONNX

    path = export(tmp_path / "home" / "weights" / "buffalo_l" / "w600k_r50.onnx")
    card = bench.encoders.ready("buffalo_l", folders)
    assert len(card.sha256) == 64
    encoder = bench.encoders.load(card, folders)
    photos = (sample(112, 4) * 255).round().to(torch.uint8)
    # insightface takes what OpenCV reads: BGR, 8 bits
    bgr = [np.ascontiguousarray(photo.permute(1, 2, 0).numpy()[:, :, ::-1]) for photo in photos]
    theirs = torch.from_numpy(ArcFaceONNX(str(path)).get_feat(bgr))
    torch.testing.assert_close(
        encoder.embed(photos.float() / 255), nn.functional.normalize(theirs), atol=1e-6, rtol=0
    )
    twin = nn.functional.normalize(encoder.twin()(photos.float() / 255))
    torch.testing.assert_close(twin, nn.functional.normalize(theirs), atol=1e-5, rtol=0)


def test_a_network_that_scales_itself_is_not_the_cards(folders: Folders, tmp_path: Path) -> None:
    export(tmp_path / "home" / "weights" / "buffalo_s" / "w600k_mbf.onnx", scales_itself=True)
    with pytest.raises(UserError, match=r"insightface reads mean 0, std 1 .* the card says 127\.5, 127\.5"):
        bench.encoders.load("buffalo_s", folders)


@pytest.mark.parametrize(
    ("wrong", "message"), [({"size": 160}, "160, 160"), ({"dimensions": 128}, "128 numbers")]
)
def test_a_wrong_file_is_refused_before_it_is_pinned(
    wrong: dict[str, Any], message: str, folders: Folders, tmp_path: Path
) -> None:
    path = tmp_path / "home" / "weights" / "antelopev2" / "glintr100.onnx"
    export(path, **wrong)
    with pytest.raises(UserError, match=message):
        bench.encoders.ready("antelopev2", folders)
    export(path)  # the right one is then welcome
    assert len(bench.encoders.ready("antelopev2", folders).sha256) == 64
    path.write_bytes(path.read_bytes() + b"\x08\x08")
    with pytest.raises(UserError, match="altered or damaged"):
        bench.encoders.load("antelopev2", folders)


def test_a_network_with_another_preprocessing_is_refused_before_it_is_pinned(
    folders: Folders, tmp_path: Path
) -> None:
    path = export(tmp_path / "home" / "weights" / "buffalo_s" / "w600k_mbf.onnx", scales_itself=True)
    with pytest.raises(UserError, match="insightface reads mean 0"):
        trial_run.ready("buffalo_s", folders)
    export(path)  # the right one is then welcome
    assert len(trial_run.ready("buffalo_s", folders).sha256) == 64
