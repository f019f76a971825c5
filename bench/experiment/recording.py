"""From what came of a cell to its record: everything resolved, nothing rounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch

from bench.attack import judge
from bench.attack.calibration import Calibration
from bench.attack.encoder_at_hand import foreign_flags
from bench.attack.runner import AttackResult
from bench.attack.tuning import Tuned
from bench.encoders.pool import EncoderPool
from bench.experiment.tables import perceptual_summary
from bench.machine.environment import environment
from bench.machine.memory import peak_memory
from bench.metrics.verification import encoder_flags, separation
from bench.parameters import Plain, plain, resolved
from bench.plan.cells import Cell
from bench.plan.chosen import Chosen, FunctionDefense
from bench.plan.nouns import Attack
from bench.plan.split import Split
from bench.recognition.attacker_view import Learned
from bench.records.columns import FURTHER
from bench.records.record import CLEAN_TOO, CellRecord, Cost, Metric, Named
from bench.release.costs import Costs
from bench.release.outcomes import budget_flags
from bench.release.release import Release
from bench.store.cache import Cache
from bench.types import EncoderCard, Flag, FlagCode, Outcome, Score

BACKGROUND = 5
"""Photos of background people for each user: with fewer, the protocol's haystack is too small."""


def record_of(cell: Cell, device: str = "", **result: Any) -> CellRecord:
    """The record of a cell: its threat model, and the result.

    Args:
        cell: The cell.
        device: What computes; neither it nor the number of threads is in the cell's digest.
        result: Fields of `CellRecord` that the result fills; `status` at least.
    """
    cloaking, view, attack = cell.cloaking, cell.view, cell.attack
    return CellRecord(
        cell=cell.digest,
        dataset=Named.model_validate(cell.dataset),
        scenario=Named.model_validate(cell.scenario),
        dose=cloaking.dose,
        defense=_chosen(cloaking.defense),
        surrogate=[_encoder(card) for card in cloaking.surrogates],
        budget=str(cloaking.budget),
        channel=view.channel,
        encoder=_encoder(view.encoder, precision=view.precision, detector=view.encoder.detector),
        members=[_encoder(card) for card in view.members] if len(view.members) > 1 else [],
        adaptation=_chosen(view.adaptation),
        attacker=_chosen(attack.attacker),
        level=attack.level,
        detector=detector(view.detector),
        publisher_detector=detector(cell.publisher_detector),
        knowledge=cell.knowledge,
        seed=cell.seed,
        draw=cell.repetition,
        distractors=attack.distractors,
        options={row.name: value for row in FURTHER if (value := cell.value_of(row)) != row.before},
        environment=environment() | {"device": device, "threads": torch.get_num_threads()},
        **result,
    )


def is_of(record: CellRecord, cell: Cell) -> bool:
    """Whether a record says of itself what the cell is: its digest, and every field that the cell decides."""
    expected = record_of(cell, status=record.status)
    decided = expected.model_fields_set - {"status", "environment"}
    return record.model_dump(mode="json", include=decided) == expected.model_dump(
        mode="json", include=decided
    )


def record_attack(
    cell: Cell,
    tuned: Tuned,
    result: AttackResult,
    on_own_cloaks: Mapping[str, Score],
    calibration: Calibration,
    costs: Costs,
    became: Sequence[Outcome],
    split: Split,
    cost: Cost,
    learned: Learned,
) -> CellRecord:
    """The record of a cell that was attacked.

    Args:
        cell: The cell.
        tuned: Its attacker, thresholds frozen.
        result: What the attacker achieved.
        on_own_cloaks: What it achieved before that, on calibration people whom it cloaked.
        calibration: Clean photos of calibration people, by which the encoder is judged.
        costs: The perceptual cost of each released photo.
        became: The outcome of each released photo.
        split: Who plays which part.
        cost: What the cell took.
        learned: What the attacker's view learned.
    """
    scores, clean = result.verdict.scores, result.controls["clean"]
    separates = replace(separation(calibration.embeddings, calibration.people), name="encoder_auc")
    metrics = scores | _clean_scores(clean) | {separates.name: separates}
    flags = [*judge.flags(scores, clean), *encoder_flags(separates), *_conditions(cell.attack)]
    flags += [*foreign_flags(tuned.attacker, cell.view), *background_flags(split), *_unseen(cell)]
    flags += budget_flags(cell.cloaking.budget, became)
    return record_of(
        cell,
        cost.device,
        status="ok",
        calibrated=resolved(tuned.attacker) | (tuned.second_step.described() if tuned.second_step else {}),
        tried=tuned.rates,
        tried_crowd=tuned.crowd,
        own_cloaks=metrics_of(dict(on_own_cloaks)),
        metrics=metrics_of(metrics),
        robustness={name: asdict(measured) for name, measured in learned.robustness.items()},
        training={
            name: {way: asdict(curve) for way, curve in curves.items()}
            for name, curves in learned.curves.items()
        },
        weights=learned.weights,
        controls={name: metrics_of(control) for name, control in result.controls.items()},
        perceptual=perceptual_summary(costs),
        outcomes={outcome: became.count(outcome) for outcome in sorted(set(became))},
        flags=flags,
        cost=cost,
    )


def background_flags(split: Split) -> list[Flag]:
    """Whether the haystack has fewer photos than the protocol asks for: simulated strangers do not count."""
    photos, least = sum(map(len, split.background)), BACKGROUND * len(split.released)
    if photos >= least:
        return []
    reason = f"{photos} photos of other people, and the protocol asks for {BACKGROUND} a user: {least}"
    return [Flag(FlagCode.SMALL_BACKGROUND, reason)]


def _unseen(cell: Cell) -> list[Flag]:
    """Whether a function reads what no digest covers: then two records of one digest may differ."""
    unseen = cell.cloaking.defense.parameters.get("unseen")
    if not isinstance(unseen, list) or not isinstance(cell.cloaking.defense.plugin, FunctionDefense):
        return []
    names = ", ".join(map(str, unseen))
    return [Flag(FlagCode.UNSEEN_STATE, f"the function reads what no digest covers: {names}")]


def cost_of(seconds: dict[str, float], release: Release, pool: EncoderPool, hits: dict[str, int]) -> Cost:
    """What a cell took.

    Args:
        seconds: Name of a stage -> seconds.
        release: What was published.
        pool: Has the encoders that were used.
        hits: Name of a stage -> how many of its results came from the cache.
    """
    return Cost(
        seconds={stage: round(value, 3) for stage, value in seconds.items()},
        photos_per_second=round(release.cloaked / release.seconds, 2) if release.seconds else None,
        peak_memory_mib=peak_memory(),
        device=pool.device,
        providers=pool.runtimes(),
        cache_hits=hits,
    )


def new_hits(cache: Cache, before: dict[str, int]) -> dict[str, int]:
    """Name of a stage -> results that came from the cache since a moment; stages without any are left out."""
    return {stage: n - before.get(stage, 0) for stage, n in cache.hits.items() if n > before.get(stage, 0)}


def metrics_of(scores: dict[str, Score]) -> dict[str, Metric]:
    """Figures as a record holds them."""
    return {name: Metric.of(score) for name, score in scores.items()}


def detector(resolved: dict[str, Plain]) -> Named:
    """A detector as a record holds it."""
    parameters = {name: value for name, value in resolved.items() if name != "name"}
    return Named(name=str(resolved["name"]), parameters=parameters)


def _clean_scores(clean: dict[str, Score]) -> dict[str, Score]:
    return {f"{name}_clean": clean[name] for name in CLEAN_TOO if name in clean}


def _conditions(attack: Attack) -> list[Flag]:
    """Under what conditions nobody would meet this attacker, so that it is shown and never ranked."""
    flags = []
    if attack.level == "oracle":
        flags.append(Flag(FlagCode.ORACLE, "thresholds chosen on the protected photos"))
    if attack.attacker.plugin.card.oracle:
        flags.append(Flag(FlagCode.ORACLE, "told the true number of people"))
    return flags


def _chosen(chosen: Chosen) -> Named:
    return Named(name=chosen.name, parameters=chosen.parameters)


def _encoder(card: EncoderCard, **how: Plain) -> Named:
    stated = {
        "architecture": card.architecture,
        "training_set": card.training_set,
        "crop": plain(card.crop),
        "preprocessing": plain(card.preprocessing),
    }
    return Named(name=card.name, parameters=stated | how, digest=card.sha256)
