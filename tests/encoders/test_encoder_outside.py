"""Encoders of other packages, and TorchScript programs: who may bring them, and what is refused."""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch
from torch import nn

import bench.encoders
from bench.encoders import trial_run
from bench.encoders.families import synth
from bench.encoders.preprocessing import sample
from bench.errors import UserError
from bench.store import code
from bench.types import Folders

FOLDERS = Folders(home="")
PACKAGE = """
from dataclasses import replace
from bench.encoders.families import synth

def cards():
    return [replace(synth.cards()[0], name=NAME, sha256=DIGEST)]

def load(card, folders, device):
    encoder = synth.load(synth.cards()[0].name, device)
    encoder.card = card
    return encoder
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A package whose entry point leads to a module with `cards` and `load`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    points: list[EntryPoint] = []
    monkeypatch.setattr(
        "bench.encoders.outside.entry_points",
        lambda group: [p for p in points if p.group == group],
    )

    def go(module: str = "their_nets", name: str = "theirs", digest: str = 64 * "a", more: str = "") -> None:
        head = f"NAME, DIGEST = {name!r}, {digest!r}\n"
        (tmp_path / f"{module}.py").write_text(head + PACKAGE + more)
        monkeypatch.delitem(sys.modules, module, raising=False)
        points.append(EntryPoint(module.replace("_", "-"), module, "cloakbench.encoders"))

    return go


def test_an_encoder_of_another_package(install: Install) -> None:
    install()
    assert "theirs" in bench.encoders.names()
    card = bench.encoders.ready("theirs", FOLDERS)
    states = {c.name: state for c, state in bench.encoders.availability(FOLDERS)}
    assert states["theirs"] == bench.encoders.READY
    encoder = bench.encoders.load(card, FOLDERS)
    own = synth.load(synth.cards()[0].name)
    assert encoder.card.name == "theirs"
    assert torch.equal(encoder.embed(sample(112, 2)), own.embed(sample(112, 2)))
    assert torch.equal(
        bench.encoders.load("theirs", FOLDERS).embed(sample(112, 1)), own.embed(sample(112, 1))
    )


UNSTEADY = """
class Moody:
    def __init__(self, encoder):
        self.card, self.runtime, self.twin = encoder.card, encoder.runtime, encoder.twin
        self._embed, self.calls = encoder.embed, 0
    def embed(self, crops):
        import torch
        self.calls += 1
        moved = self._embed((crops + 1e-3 * self.calls).clamp(0, 1))
        return moved

steady = load
def load(card, folders, device):
    return Moody(steady(card, folders, device))
"""


def test_it_is_tried_as_well(install: Install, folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    install()
    monkeypatch.setattr("bench.encoders.trial_run.subprocess.run", lambda *_, **__: pytest.fail("apart"))
    card = trial_run.ready("theirs", folders)
    monkeypatch.setattr("bench.encoders.trial_run.check", lambda _: pytest.fail("tried twice"))
    assert trial_run.ready("theirs", folders) == card


def test_one_that_is_no_function_of_the_crop_is_refused(install: Install, folders: Folders) -> None:
    install(more=UNSTEADY)
    with pytest.raises(UserError, match="'theirs' gives one crop other numbers at a second call"):
        trial_run.ready("theirs", folders)


def test_its_code_is_in_the_digest(install: Install) -> None:
    install()
    card = bench.encoders.ready("theirs", FOLDERS)
    before = bench.encoders.identity(card)
    assert bench.encoders.identity(replace(card, location="")) != before
    install(more="CHANGED = True\n")
    code.forget()  # a process reads a plug-in once
    assert bench.encoders.identity(replace(card)) != before


def test_a_name_that_is_taken(install: Install) -> None:
    install(name="synth-ir")
    with pytest.raises(UserError, match=r"two plug-ins call themselves encoder 'synth-ir'.* from their_nets"):
        bench.encoders.names()


def test_two_packages_with_one_name(install: Install) -> None:
    install()
    install("other_nets")
    with pytest.raises(
        UserError, match=r"encoder 'theirs'; the second is from other_nets\. Rename or uninst"
    ):
        bench.encoders.names()


def test_a_card_without_a_digest(install: Install) -> None:
    # two encoders without one would be one and the same: a white box
    install(digest="")
    with pytest.raises(UserError, match="their_nets brings an encoder without a card that states its sha256"):
        bench.encoders.names()


@pytest.mark.parametrize("more", ["import a_module_that_is_not_there\n", "del cards\n", "def\n"])
def test_a_package_that_does_not_load(install: Install, more: str) -> None:
    install(more=more)
    with pytest.raises(UserError, match=r"their_nets do not load.*uninstall that package") as caught:
        bench.encoders.names()
    assert "\n" not in str(caught.value)


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    """A TorchScript file and its card; returns what a user types."""

    def go(network: nn.Module | bytes, *, digest: str | None = None, dimensions: int = 8) -> str:
        path = tmp_path / "prog.pt"
        if isinstance(network, bytes):
            path.write_bytes(network)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                torch.jit.save(torch.jit.script(network.eval()), str(path))
        stated = hashlib.sha256(path.read_bytes()).hexdigest() if digest is None else digest
        (tmp_path / "prog.card.toml").write_text(
            f'architecture = "a"\ntraining_set = ""\nlicence = "MIT"\nsource = "s"\n'
            f'dimensions = {dimensions}\nsha256 = "{stated}"\n'
        )
        return f"torchscript:{path}"

    return go


class Mean(nn.Module):
    """One number for all faces where an encoder gives a row for each."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean()


class Two(nn.Module):
    """Two tensors where an encoder gives one."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.flatten(1), x


def toy(dimensions: int = 8, size: int = 112) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(size // 2), nn.Flatten(), nn.Linear(12, dimensions))


def test_a_program_runs_only_when_its_card_states_its_digest(program: Callable[..., str]) -> None:
    net = toy()
    name = program(net, digest="")
    with pytest.raises(UserError, match="is a program: if you trust this one, add sha256 = ") as caught:
        bench.encoders.ready(name, FOLDERS)
    assert "\n" not in str(caught.value)
    crops = sample(112, 2)
    encoder = bench.encoders.load(program(net), FOLDERS)
    torch.testing.assert_close(encoder.embed(crops), nn.functional.normalize(net(crops)))


def test_another_program_is_not_run(program: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    card = bench.encoders.ready(program(toy()), FOLDERS)
    Path(card.location.partition(":")[2]).write_bytes(b"something else")
    monkeypatch.setattr("torch.jit.load", lambda *_, **__: pytest.fail("it was run"))
    with pytest.raises(UserError, match="has changed since its digest was taken"):
        bench.encoders.load(card, FOLDERS)


@pytest.mark.parametrize(
    ("network", "dimensions", "message"),
    [
        (b"", 8, "is not a whole TorchScript file"),
        (b"<html>", 8, "is not a whole TorchScript file"),
        (b"PK\x03\x04 cut", 8, "is not a whole TorchScript file"),
        (toy(), 9, "gives 8 numbers a face, and its card says dimensions 9"),
        (toy(size=160), 8, "does not run on a 112 x 112 crop"),
        (Two(), 8, "does not run on a 112 x 112 crop.*gives a tuple"),
    ],
)
def test_a_wrong_program_is_one_line(
    network: nn.Module | bytes, dimensions: int, message: str, program: Callable[..., str]
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        bench.encoders.load(program(network, dimensions=dimensions), FOLDERS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("network", "dimensions", "message"),
    [
        (toy(), 9, "gives 8 numbers a face"),
        (Mean(), 8, "gives no row of numbers a face"),
        (nn.Sequential(toy(), nn.Threshold(1e9, float("nan"))), 8, "3 of 3 embeddings are not finite"),
    ],
)
def test_a_wrong_program_is_known_before_a_run(
    network: nn.Module, dimensions: int, message: str, program: Callable[..., str], folders: Folders
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        trial_run.ready(program(network, dimensions=dimensions), folders)
    assert "\n" not in str(caught.value)
