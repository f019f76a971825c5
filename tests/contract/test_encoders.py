"""What every encoder promises, over every name: those whose weights are built in, real or made here."""

from __future__ import annotations

import copy
import hashlib
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch
from torch import nn

import bench.encoders
from bench.encoders import trial_run
from bench.encoders.families import synth
from bench.encoders.families.facenet import FILES
from bench.encoders.families.onnx_file.cards import CARDS as ONNX
from bench.encoders.faults import EncoderFault, refuse, scaled
from bench.errors import UserError
from bench.protocols import Encoder
from bench.store.lock import LOCK
from bench.torchvision_compat import ensure
from bench.types import EncoderCard, Folders

BUILT_IN = bench.encoders.built_in()
MADE_HERE = [
    "facenet-vggface2",
    "buffalo_l",
    "onnx:{home}/own.onnx",
    "torchscript:{home}/script.pt",
    "outside",
]
"""Their weights are drawn at random below: of the right shape, and of no use."""
EVERY = [*BUILT_IN, *MADE_HERE, *(pytest.param(card.name, marks=pytest.mark.real) for card in ONNX)]

CARD = """
architecture = "four layers"
training_set = "none"
licence = "MIT"
source = "a test"
dimensions = 512
colour = "bgr"
mean = 127.5
std = [127.5, 128, 127]
"""


def network() -> nn.Sequential:
    """As deep as it takes to have what the large ones have: batch norms, PReLU, a linear head."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            *(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.PReLU(8), nn.Conv2d(8, 16, 3, 2, 1)),
            *(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, 512), nn.BatchNorm1d(512)),
        ).eval()


def export(path: Path) -> None:
    """With the names, the opset and the free batch of insightface's files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network(),
            (torch.rand(2, 3, 112, 112),),
            str(path),
            input_names=["input.1"],
            dynamic_axes={"input.1": {0: "n"}},
            opset_version=11,
            dynamo=False,
        )


class Outside:
    """A package that brings an encoder of its own: one that is built in here, under another name."""

    def __init__(self) -> None:
        self.name = "outside-net"

    def cards(self) -> list[EncoderCard]:
        return [replace(synth.cards()[0], name=self.name)]

    def load(self, card: EncoderCard, folders: Folders, device: str) -> Encoder:
        encoder = synth.load(synth.cards()[0].name, device)
        encoder.card = card
        return encoder


def points(*, group: str) -> list[EntryPoint]:
    point = EntryPoint("ours", "a.package:family", group)
    object.__setattr__(point, "load", Outside)
    return [point] if group == "cloakbench.encoders" else []


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BENCH_HOME with weights of the right shape for those that nobody may ship, and files of a user's."""
    ensure()
    from facenet_pytorch import InceptionResnetV1

    folder = tmp_path_factory.mktemp("home")
    (folder / "weights").mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = InceptionResnetV1(pretrained=None, classify=True, num_classes=8)
    torch.save(net.state_dict(), folder / "weights" / FILES["facenet-vggface2"])
    export(folder / "weights" / "buffalo_l" / "w600k_r50.onnx")
    export(folder / "own.onnx")
    (folder / "own.card.toml").write_text(f'name = "own-onnx"{CARD}')
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(network()), str(folder / "script.pt"))
    digest = hashlib.sha256((folder / "script.pt").read_bytes()).hexdigest()
    (folder / "script.card.toml").write_text(f'sha256 = "{digest}"{CARD}')
    return folder


@pytest.fixture(scope="module", params=EVERY, ids=lambda name: name.partition(":")[0])
def encoder(request: pytest.FixtureRequest, home: Path) -> Iterator[Encoder]:
    real = request.param in {card.name for card in ONNX}
    folders = Folders(home=str(home), real_data=str(request.getfixturevalue("real_data")) if real else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.encoders.outside.entry_points", points)
        name = {"outside": "outside-net"}.get(request.param, request.param.format(home=home))
        yield bench.encoders.load(bench.encoders.ready(name, folders), folders)


def crops_for(encoder: Encoder, count: int) -> torch.Tensor:
    """Smooth random squares: nearer to photos than noise is."""
    size = encoder.card.crop.size
    coarse = torch.rand(count, 3, 9, 9, generator=torch.Generator().manual_seed(5))
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)


def test_embeddings_are_unit_float32_rows(encoder: Encoder) -> None:
    out = encoder.embed(crops_for(encoder, 3))
    assert out.shape == (3, encoder.card.dimensions)
    assert out.dtype == torch.float32
    assert not out.requires_grad
    torch.testing.assert_close(out.norm(dim=1), torch.ones(3), atol=1e-6, rtol=0)


def test_a_crop_has_the_same_bits_in_any_company(encoder: Encoder) -> None:
    crops = crops_for(encoder, 7)
    whole = encoder.embed(crops)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(6))
    assert torch.equal(encoder.embed(crops[order]), whole[order])
    for part in (slice(0, 1), slice(2, 5), slice(5, 7)):
        assert torch.equal(encoder.embed(crops[part]), whole[part])
    strided = torch.stack(list(crops), -1).movedim(-1, 0)  # same values, other memory layout
    assert torch.equal(encoder.embed(strided), whole)


def test_no_crops(encoder: Encoder) -> None:
    assert encoder.embed(crops_for(encoder, 1)[:0]).shape == (0, encoder.card.dimensions)


def test_input_is_left_alone(encoder: Encoder) -> None:
    crops = crops_for(encoder, 2)
    before = crops.clone()
    encoder.embed(crops)
    encoder.twin()(crops)
    assert torch.equal(crops, before)


def test_twin_is_the_same_function_before_normalisation(encoder: Encoder) -> None:
    crops = crops_for(encoder, 4)
    with torch.no_grad():
        raw = encoder.twin()(crops)
    assert raw.shape == (4, encoder.card.dimensions)
    cosine = torch.nn.functional.cosine_similarity(raw.double(), encoder.embed(crops).double())
    assert float(cosine.min()) >= 0.9999


def test_twin_is_frozen_and_passes_gradients(encoder: Encoder) -> None:
    twin = encoder.twin()
    assert not any(module.training for module in twin.modules())
    assert not any(parameter.requires_grad for parameter in twin.parameters())
    crops = crops_for(encoder, 2).requires_grad_()
    (gradient,) = torch.autograd.grad(twin(crops)[0].square().sum(), crops)
    assert torch.isfinite(gradient).all()
    assert float(gradient[0].abs().max()) > 0
    assert float(gradient[1].abs().max()) == 0  # the other crop has no part in the first embedding


def test_twins_gradient_is_the_slope(encoder: Encoder) -> None:
    # float64: central differences along random directions
    twin = copy.deepcopy(encoder.twin()).double()
    generator = torch.Generator().manual_seed(7)
    crop = (crops_for(encoder, 1).double() * 0.9 + 0.05).requires_grad_()
    with torch.no_grad():
        target = torch.rand(encoder.card.dimensions, generator=generator, dtype=torch.float64) - 0.5

    def value(at: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cosine_similarity(twin(at), target[None])[0]

    (gradient,) = torch.autograd.grad(value(crop), crop)
    step = 1e-8  # small: every unit of these networks that crosses its kink within it costs accuracy
    for _ in range(2):
        way = torch.randn(crop.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            slope = float(value(crop + step * way) - value(crop - step * way)) / (2 * step)
        expected = float((gradient * way).sum())
        assert slope == pytest.approx(expected, rel=1e-3, abs=1e-3 * float(gradient.norm()))


def test_card_says_what_is_needed_to_judge_it(encoder: Encoder) -> None:
    card = encoder.card
    assert len(card.sha256) == 64
    assert card.licence
    assert card.source
    assert card.architecture
    assert card.parameters > 0 or not card.location.startswith("family:")  # a user need not count


def test_names_are_unique_and_all_have_cards() -> None:
    folders = Folders(home="")
    names = bench.encoders.names()
    assert len(names) == len(set(names))
    assert {card.name for card, _ in bench.encoders.availability(folders)} == set(names)
    assert {bench.encoders.lookup(name)[1].name for name in names} == set(names)


def test_availability_says_what_to_type(tmp_path: Path) -> None:
    states = {c.name: state for c, state in bench.encoders.availability(Folders(home=str(tmp_path)))}
    assert "bench fetch facenet-casia" in states["facenet-casia"]
    assert "bench fetch buffalo_l" in states["buffalo_l"]
    assert str(tmp_path) in states["mobileface_v2"]
    for name in BUILT_IN:
        assert states[name] == bench.encoders.READY


def test_names_and_cards_are_had_without_torch() -> None:
    script = (
        "import sys, bench.encoders as e; from bench.types import Folders\n"
        "f = Folders(home=''); [e.lookup(n) for n in e.names()]; e.availability(f); e.forms()\n"
        "assert not {'torch', 'onnxruntime', 'onnx'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="Did you mean 'mobileface_v2'") as caught:
        bench.encoders.load("mobilface_v2", Folders(home=""))
    assert "'bench list encoders'" in str(caught.value)


def test_a_ready_card_carries_the_pinned_digest(home: Path) -> None:
    folders = Folders(home=str(home))
    _, card = bench.encoders.lookup("facenet-vggface2")
    assert card.sha256 == ""
    assert len(bench.encoders.ready("facenet-vggface2", folders).sha256) == 64
    with pytest.raises(UserError, match=f"no {FILES['facenet-casia']} in {home}/weights: bench fetch"):
        bench.encoders.ready("facenet-casia", folders)


def test_facenet_file_with_other_weights_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    path = tmp_path / "weights" / FILES["facenet-casia"]
    for content in ({"conv.weight": torch.zeros(1)}, [1, 2]):
        torch.save(content, path)
        (tmp_path / LOCK).unlink(missing_ok=True)
        with pytest.raises(UserError, match="does not hold the weights of InceptionResnetV1") as caught:
            bench.encoders.load("facenet-casia", Folders(home=str(tmp_path)))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PK\x03\x04 cut", b"\x80\x02}q\x00X"])
def test_facenet_file_that_is_something_else_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / FILES["facenet-casia"]).write_bytes(content)
    with pytest.raises(UserError, match="does not hold the weights of InceptionResnetV1") as caught:
        bench.encoders.load("facenet-casia", Folders(home=str(tmp_path)))
    assert "\n" not in str(caught.value)


def test_facenet_file_that_is_something_else_is_not_pinned(home: Path, tmp_path: Path) -> None:
    folders = Folders(home=str(tmp_path))
    path = tmp_path / "weights" / FILES["facenet-casia"]
    path.parent.mkdir()
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(UserError, match="does not hold the weights"):
        trial_run.ready("facenet-casia", folders)
    path.write_bytes((home / "weights" / FILES["facenet-vggface2"]).read_bytes())  # then welcome
    assert len(trial_run.ready("facenet-casia", folders).sha256) == 64


def test_facenet_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (trap,)

    torch.save({"conv2d_1a.conv.weight": Trap()}, tmp_path / "weights" / FILES["facenet-casia"])
    with pytest.raises(UserError, match="no file of tensors alone") as caught:
        bench.encoders.load("facenet-casia", Folders(home=str(tmp_path)))
    assert "weights_only" not in str(caught.value)
    assert not trap.exists()


def test_facenet_input_is_scaled_as_its_package_does(home: Path) -> None:
    from facenet_pytorch import InceptionResnetV1, fixed_image_standardization

    encoder = bench.encoders.load("facenet-vggface2", Folders(home=str(home)))
    crops = crops_for(encoder, 2)
    net = InceptionResnetV1(pretrained=None).eval()
    state = torch.load(home / "weights" / FILES["facenet-vggface2"], weights_only=True)
    net.load_state_dict({k: v for k, v in state.items() if "logits" not in k})
    with torch.no_grad():
        expected = net(fixed_image_standardization(crops * 255))
    torch.testing.assert_close(encoder.embed(crops), expected, atol=1e-5, rtol=0)


def test_output_that_is_no_embedding_is_a_fault() -> None:
    good = torch.ones(2, 4)
    refuse(good, "x")
    torch.testing.assert_close(scaled(good), good / 2)
    for value, state in ((float("nan"), "not finite"), (float("inf"), "not finite"), (0.0, "zero")):
        bad = good.clone()
        bad[1] = value
        with pytest.raises(EncoderFault, match=f"'some-net': 1 of 2 embeddings are {state}"):
            refuse(bad, "some-net")
