"""The built-in networks: folded, they are the same functions, small enough to ship."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from bench.encoders.families.synth.nets import DIMENSIONS, NETS, fold, skeleton
from bench.training.card import ARCHITECTURES, stored_net, write_weights

every = pytest.mark.parametrize("name", sorted(NETS))


def new(name: str, seed: int = 0) -> nn.Module:
    """A network whose batch norms have seen something: fresh ones would melt into next to nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = NETS[name]()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.get_buffer("running_mean").normal_(std=0.3)
                module.get_buffer("running_var").uniform_(0.5, 2.0)
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.3)
    return net.eval()


def crops(count: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(count, 3, 112, 112, generator=torch.Generator().manual_seed(3)).to(dtype)


@every
def test_folding_changes_nothing(name: str) -> None:
    # float64, so that only a wrong formula can differ by more than rounding
    net = new(name).double()
    with torch.no_grad():
        expected, folded = net(crops(2, torch.float64)), fold(net)(crops(2, torch.float64))
    torch.testing.assert_close(folded, expected, atol=1e-10, rtol=1e-10)


@every
def test_folding_leaves_no_batch_norm_and_the_original_as_it_was(name: str) -> None:
    net = new(name).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    melted = fold(net)
    assert not [m for m in melted.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert not melted.training
    assert net.training
    assert net.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@every
def test_what_is_shipped_fits_the_skeleton_and_is_the_same_but_for_16_bits(name: str, tmp_path: Path) -> None:
    net = new(name)
    write_weights(net, tmp_path / f"{name}.safetensors")
    shipped = stored_net(name, tmp_path)
    expected = {key: value.half().float() for key, value in fold(net).state_dict().items()}
    assert shipped.state_dict().keys() == expected.keys() == skeleton(name).state_dict().keys()
    assert all(torch.equal(value, expected[key]) for key, value in shipped.state_dict().items())
    with torch.no_grad():
        before, after = fold(net)(crops(2)), shipped(crops(2))
    assert nn.functional.cosine_similarity(before, after).min() > 0.9999


@every
def test_crops_in_embeddings_out(name: str) -> None:
    net = skeleton(name)
    with torch.no_grad():
        for count in (1, 3):
            assert net(crops(count)).shape == (count, DIMENSIONS)


@every
def test_photos_of_a_batch_do_not_meet(name: str) -> None:
    net, batch = fold(new(name)).double(), crops(3, torch.float64)
    with torch.no_grad():
        together, alone = net(batch), torch.cat([net(crop[None]) for crop in batch])
    torch.testing.assert_close(together, alone, atol=1e-10, rtol=1e-10)


@every
def test_all_weights_get_a_gradient(name: str) -> None:
    net = new(name).train()
    net(crops(2)).square().sum().backward()
    assert [key for key, p in net.named_parameters() if p.grad is None] == []


def test_all_files_together_are_under_six_megabytes(tmp_path: Path) -> None:
    for name in NETS:
        write_weights(NETS[name](), tmp_path / name)
        weights = sum(p.numel() for p in skeleton(name).parameters())
        stored = (tmp_path / name).stat().st_size
        assert 2 * weights < stored < 2 * weights + 20_000  # two bytes a weight, and the header
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 6_000_000


def test_every_network_has_its_own_architecture() -> None:
    assert ARCHITECTURES.keys() == NETS.keys()
    assert len(set(ARCHITECTURES.values())) == len(NETS)
