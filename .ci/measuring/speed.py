"""Steps that time a device: embedding, its share of the arithmetic limit, cloaking; and peak memory."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial

import torch

from bench.encoders.networks import embed_at
from bench.protocols import Encoder
from measuring.arithmetic import TYPES, limit, operations
from measuring.contest import STEPS, Contest
from measuring.machine import peak, seconds
from measuring.record import Figure
from measuring.setting import Setting
from measuring.subjects import Family, aligned, faces, loaded


def embedding(setting: Setting, family: Family) -> Iterator[Figure]:
    """Crops a second at every precision, and the share of what the device can multiply."""
    encoders = list(loaded(setting, family, setting.device))
    limits = {precision: limit(precision, setting.device, setting.side, setting.maps) for precision in TYPES}
    for encoder in encoders:
        name = encoder.card.name
        crops = _crops(setting, encoder)
        each = operations(encoder, crops[:1])
        yield Figure(name, "arithmetic of a crop", each / 1e9, "GFLOP")
        for precision in TYPES:
            spent = _median(partial(embed_at, precision, encoder, crops), setting)
            most = max(limits[precision], limit(precision, setting.device, setting.side, setting.maps))
            yield Figure(name, f"{precision} embedding", len(crops) / spent, "crops/s")
            yield Figure(name, f"{precision} arithmetic", len(crops) * each / spent / 1e12, "TFLOP/s")
            yield Figure(name, f"{precision} arithmetic limit", most / 1e12, "TFLOP/s")
            yield Figure(name, f"{precision} share of the limit", len(crops) * each / spent / most)


def cloaking(setting: Setting, family: Family, attacker: str) -> Iterator[Figure]:
    """Photos a second of one of the contest's attackers, and its success.

    Args:
        setting: how many photos.
        family: whose encoders are attacked; each takes crops of 112 x 112.
        attacker: one of `contest.OURS` and `contest.THEIRS`.
    """
    for encoder in loaded(setting, family, setting.device):
        name = encoder.card.name
        contest = Contest.of(encoder, _crops(setting, encoder), setting.device)
        attack = contest.attack(attacker)
        torch.manual_seed(0)  # the other two start at random from the global state
        released = attack(contest.crops)
        spent = _median(partial(attack, contest.crops), setting)
        success = contest.judged(released)
        yield Figure(name, "cloaking", len(contest.photos) / spent, "photos/s")
        yield Figure(name, "steps", len(contest.photos) * STEPS / spent, "gradients/s")
        yield Figure(name, "success", success["success"])
        yield Figure(name, "similarity to the clean photo", success["similarity"])


def memory(setting: Setting) -> Iterator[Figure]:
    """Peak memory of embedding one batch and of cloaking as many photos; see `machine.peak`."""
    for encoder in loaded(setting, "built-in", setting.device):
        name = encoder.card.name
        crops = _crops(setting, encoder)
        for precision in ("fp32", "bf16"):
            most = peak(partial(embed_at, precision, encoder, crops), setting.device)
            yield Figure(name, f"{precision} embedding", most, "MiB")
        contest = Contest.of(encoder, _crops(setting, encoder), setting.device)
        for who in ("engine-fp32", "engine"):
            most = peak(partial(contest.attack(who), contest.crops), setting.device)
            yield Figure(name, f"cloaking, {who}", most, "MiB")


def _crops(setting: Setting, encoder: Encoder) -> torch.Tensor:
    return aligned(faces(setting.batch), encoder.card.crop).to(setting.device)


def _median(work: Callable[[], object], setting: Setting) -> float:
    """Median seconds of a few runs after one that does not count."""
    if setting.rounds > 1:
        work()
    return statistics.median(seconds(work, setting.device) for _ in range(setting.rounds))
