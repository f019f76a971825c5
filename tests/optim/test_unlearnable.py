"""The error-minimising mask: what its network learns, and what it is learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from bench.defenses._shortcut import Network, Shortcut
from bench.defenses.unlearnable import Unlearnable

from bench.errors import UserError
from bench.faces.align import matrix, warp
from bench.optim.frame import aligned, laid
from bench.protocols import Kit
from bench.types import ARCFACE_CROP, Album

MakeKit = Callable[..., Kit]
Draw = Callable[..., Album]

SIZE = ARCFACE_CROP.size

BRIEF = Unlearnable(learn=2, rounds=4, train=2)


def faces(album: Album) -> torch.Tensor:
    rows = [aligned(p, f) for p, f in zip(album.photos, album.faces, strict=True) if f]
    return torch.stack(rows)


@pytest.fixture(scope="module")
def others(draw: Draw) -> torch.Tensor:
    """One face each of twenty people."""
    return torch.cat([faces(draw(person, 1)) for person in range(100, 120)])


def test_the_frame_is_that_of_the_encoders(users: list[Album]) -> None:
    album = users[0]
    for photo, face in zip(album.photos, album.faces, strict=True):
        assert face is not None
        planes = torch.from_numpy(photo.transpose(2, 0, 1).astype(np.float32))[None]
        theirs = warp(planes, [matrix(face, ARCFACE_CROP)], SIZE)[0]
        ours = aligned(photo, face)
        assert (ours - theirs)[:, 2:-2, 2:-2].abs().max() < 0.05


def test_what_is_laid_on_a_photo_is_found_in_the_frame(users: list[Album], kit: MakeKit) -> None:
    mask = torch.zeros(3, SIZE, SIZE)
    mask[:, 40:70, 40:70] = 6.0
    photo, face = np.full_like(users[0].photos[1], 100), users[0].faces[1]
    assert face is not None
    region = kit().engine.region(photo, face)
    assert region is not None
    released = laid(mask, photo, face)
    change = aligned(released, face) - aligned(photo, face)
    assert (change - mask)[:, 43:67, 43:67].abs().max() < 1e-3
    assert not change[:, :36].any() and not change[:, 74:].any()
    assert not (released != photo)[~region].any()


def test_a_network_finds_masked_photos_easier_than_clean_ones(draw: Draw, others: torch.Tensor) -> None:
    shortcut, own = Shortcut(8.0, 10, 5, 0.8, 0.0), faces(draw(1, 6))
    mask = shortcut.mask(own, others, "a")
    assert 0.5 < mask.abs().max() <= 8
    losses = []
    for change in (torch.zeros(1), mask):
        network = Network("another")
        for _ in range(15):
            network.learn(own + change, others)
        losses.append(float(network.loss(own + change, others).detach()))
    assert losses[1] < 0.8 * losses[0]


def test_and_learns_less_of_the_face(draw: Draw, others: torch.Tensor) -> None:
    strangers = torch.cat([faces(draw(person, 1)) for person in range(200, 230)])
    lost = []
    for person in (2, 5):
        photos = faces(draw(person, 10))
        mask = Shortcut(8.0, 12, 10, 0.8, 0.0).mask(photos[:5], others, str(person))
        for change in (torch.zeros(1), mask):
            network = Network(f"another {person}")
            for _ in range(60):
                network.learn(photos[:5] + change, others)
            lost.append(float(network.loss(photos[5:], strangers).detach()))
    clean, masked = np.reshape(lost, (2, 2)).T
    assert (masked > 2 * clean).all(), lost


def test_a_user_depends_on_nobody_else_and_a_mask_on_the_seed(users: list[Album], kit: MakeKit) -> None:
    both = BRIEF.cloak(users, kit())
    (alone,) = BRIEF.cloak(users[1:], kit())
    assert all(np.array_equal(a, b) for a, b in zip(both[1], alone, strict=True))
    (other,) = BRIEF.cloak(users[1:], kit(seed=1))
    assert not np.array_equal(alone[0], other[0])


def test_a_budget_between_two_levels_is_kept(users: list[Album], kit: MakeKit) -> None:
    whole = replace(BRIEF, step=1.0)
    for released, photo in zip(whole.cloak(users[:1], kit("linf:1.6"))[0], users[0].photos, strict=True):
        assert released is not None
        assert np.abs(released.astype(int) - photo).max() == 1


def test_the_number_of_threads_is_of_no_matter(draw: Draw, others: torch.Tensor) -> None:
    own, before, masks = faces(draw(1, 4)), torch.get_num_threads(), []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        try:
            masks.append(Shortcut(8.0, 2, 2, 0.8, 0.0).mask(own, others, "a"))
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
    assert masks[0].any()
    assert all(torch.equal(mask, masks[0]) for mask in masks)


def test_turns_end_at_the_share_of_errors(draw: Draw, others: torch.Tensor) -> None:
    own = faces(draw(1, 4))
    early = Shortcut(8.0, 30, 10, 0.8, 0.5).mask(own, others, "a")
    late = Shortcut(8.0, 12, 10, 0.8, 0.0).mask(own, others, "a")
    assert early.abs().max() < late.abs().max()


def test_the_authors_share_of_errors_is_reached_before_the_mask_has_grown(
    draw: Draw, others: torch.Tensor
) -> None:
    own = faces(draw(1, 6))
    assert Shortcut(8.0, 20, 10, 0.8, 0.1).mask(own, others, "a").abs().mean() < 2


def test_without_other_people_there_is_one_line(users: list[Album], kit: MakeKit) -> None:
    with pytest.raises(UserError, match="reference people"):
        BRIEF.cloak(users, replace(kit(), reference=Album((), (), ())))
    with pytest.raises(UserError, match="step=2"):
        replace(BRIEF, step=2).check(kit().budget)
