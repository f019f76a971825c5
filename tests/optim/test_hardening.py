"""Hardened copies of surrogates: what they are, and that they are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from bench.defenses.advmask import AdvMask

from bench.adaptations.methods import Adversarial
from bench.errors import RefusedError, UserError
from bench.machine.progress import Advance
from bench.optim import hardening
from bench.optim.engine import CloakingEngine
from bench.optim.hardening import hardened
from bench.protocols import Descent, Encoder, Kit
from bench.store.cache import Cache
from bench.types import Album, Budget, Image

Draw = Callable[..., Album]

HOW = Adversarial(steps=20)


@pytest.fixture(scope="module")
def faces(draw: Draw) -> torch.Tensor:
    """Aligned faces of twelve people, float32 [12, 3, 112, 112] in [0, 1]."""
    return torch.cat([seen(draw(person, 1)) for person in range(100, 112)])


@pytest.fixture(scope="module")
def copy(encoder: Encoder, faces: torch.Tensor) -> Encoder:
    return hardened(encoder, faces, HOW, 0)


def seen(album: Album) -> torch.Tensor:
    """The aligned faces of an album."""
    engine = CloakingEngine("cpu")
    pairs = zip(album.photos, album.faces, strict=True)
    return torch.stack([engine.aligned(photo, face) for photo, face in pairs if face]) / 255


def misled(encoder: Encoder, crops: torch.Tensor, radius: float) -> float:
    """The mean cosine of crops to themselves after ten steps within a radius that lower it."""
    network = encoder.twin()
    clean = torch.nn.functional.normalize(network(crops)).detach()
    start = 2 * torch.rand(crops.shape, generator=torch.Generator().manual_seed(1)) - 1
    moved = crops + radius / 255 * start
    for _ in range(10):
        moved = moved.detach().requires_grad_(True)
        cosines = (torch.nn.functional.normalize(network(moved)) * clean).sum(1)
        (slope,) = torch.autograd.grad(cosines.sum(), moved)
        moved = (moved - radius / 4 / 255 * slope.sign()).clamp(crops - radius / 255, crops + radius / 255)
    return float((torch.nn.functional.normalize(network(moved.detach())) * clean).sum(1).mean())


def test_a_copy_is_misled_less_and_tells_strangers_apart_nevertheless(
    encoder: Encoder, copy: Encoder, draw: Draw
) -> None:
    others = torch.cat([seen(draw(person, 2)) for person in range(200, 210)])
    assert misled(copy, others, 2.0) > misled(encoder, others, 2.0) + 0.1
    rows = torch.as_tensor(copy.embed(others))
    alike = rows @ rows.T
    own = alike[torch.arange(0, 20, 2), torch.arange(1, 20, 2)]
    strangers = alike[::2, ::2][~torch.eye(10, dtype=torch.bool)]
    assert own.mean() > strangers.mean() + 0.3


def test_the_encoder_stays_as_it_is(encoder: Encoder, copy: Encoder, faces: torch.Tensor) -> None:
    assert copy.card.name.startswith(f"{encoder.card.name}@")
    assert copy.card.sha256 != encoder.card.sha256
    assert not torch.equal(torch.as_tensor(copy.embed(faces)), torch.as_tensor(encoder.embed(faces)))
    assert torch.equal(torch.as_tensor(encoder.embed(faces)), torch.as_tensor(encoder.embed(faces)))
    assert not any(weight.requires_grad for weight in encoder.twin().parameters())


def test_a_copy_is_trained_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoder: Encoder, copy: Encoder, faces: torch.Tensor
) -> None:
    told: list[str | int] = []

    class Steps:
        @contextmanager
        def stage(self, name: str, total: int) -> Iterator[Advance]:
            told.extend([name, total])
            yield lambda count=1: told.append(count)

    first = hardened(encoder, faces, HOW, 0, Cache(tmp_path), Steps())
    assert told == ["harden synth-ir", HOW.steps, *[1] * HOW.steps]
    monkeypatch.delattr(hardening, "train_network")
    again = hardened(encoder, faces, HOW, 0, Cache(tmp_path), Steps())
    assert first.card == again.card == copy.card
    for one in (first, again):
        assert torch.equal(torch.as_tensor(one.embed(faces)), torch.as_tensor(copy.embed(faces)))


@pytest.mark.parametrize("changed", ["faces", "radius", "seed"])
def test_another_question_has_another_copy(
    monkeypatch: pytest.MonkeyPatch, encoder: Encoder, copy: Encoder, faces: torch.Tensor, changed: str
) -> None:
    monkeypatch.setattr(hardening, "train_network", lambda network, *more, **options: network)
    shown = faces[:-1] if changed == "faces" else faces
    how = Adversarial(steps=20, radius=3.0) if changed == "radius" else HOW
    assert hardened(encoder, shown, how, int(changed == "seed")).card.sha256 != copy.card.sha256


def test_one_person_is_too_few(encoder: Encoder, faces: torch.Tensor) -> None:
    with pytest.raises(UserError, match="at least 2 other people and got 1"):
        hardened(encoder, faces[:1], HOW, 0)


def test_training_that_fails_is_told_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoder: Encoder, faces: torch.Tensor
) -> None:
    def fails(*more: object, **options: object) -> None:
        raise FloatingPointError("its loss is nan")

    monkeypatch.setattr(hardening, "train_network", fails)
    with pytest.raises(RefusedError, match=r"'synth-ir' cannot be hardened: its loss is nan\. Try a smaller"):
        hardened(encoder, faces, Adversarial(steps=1), 0, Cache(tmp_path))
    monkeypatch.undo()
    copy = hardened(encoder, faces, Adversarial(steps=1), 0, Cache(tmp_path))
    assert torch.isfinite(torch.as_tensor(copy.embed(faces))).all()


def test_the_engine_walks_against_the_copies_too(
    monkeypatch: pytest.MonkeyPatch, users: list[Album], reference: Album, encoder: Encoder, copy: Encoder
) -> None:
    asked: list[Adversarial] = []

    def once(own: Encoder, faces: torch.Tensor, how: Adversarial, *more: object) -> Encoder:
        asked.append(how)
        return copy

    monkeypatch.setattr("bench.optim.engine.hardened", once)
    engine = CloakingEngine("cpu", precision="fp32")
    kit = Kit(Budget.parse("linf:8"), 0, (encoder,), reference, engine, "cpu")
    goal = AdvMask(margin=2.0).goal()
    plain = engine.run(users, kit, goal, Descent(steps=4))
    both = engine.run(users, kit, goal, Descent(steps=4, hardened=4.0))
    engine.run(users, kit, goal, Descent(steps=1, hardened=4.0))
    assert asked == [Adversarial(radius=4.0)]
    assert both.gradients == 2 * plain.gradients
    crops = torch.cat([seen(album) for album in users])

    def kept(photos: list[list[Image | None]]) -> float:
        shown = [
            Album(tuple(photo for photo in own if photo is not None), album.faces, album.digests)
            for own, album in zip(photos, users, strict=True)
        ]
        cloaked = torch.as_tensor(copy.embed(torch.cat([seen(album) for album in shown])))
        return float((cloaked * torch.as_tensor(copy.embed(crops))).sum(1).mean())

    assert kept(both.photos) < kept(plain.photos) - 0.05


def test_advmask_has_a_twin_and_hardened_copies_where_it_is_asked_to() -> None:
    plain, asked = AdvMask().walk(), AdvMask(twin=2.0, hardened=4.0).walk()
    assert (plain.copies, plain.variations, plain.hardened) == (1, (), 0.0)
    assert (asked.copies, len(asked.variations), asked.hardened) == (2, 1, 4.0)
    assert AdvMask(hardened=4.0).walk().variations == ()
    with pytest.raises(UserError, match="hardened=-1"):
        AdvMask(hardened=-1.0).check(Budget.parse("linf:8"))
    with pytest.raises(UserError, match="twin=101"):
        AdvMask(twin=101.0).check(Budget.parse("linf:8"))
