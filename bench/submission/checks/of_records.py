"""What fields of a record say of each other, and of the table of its photos."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from bench import adaptations
from bench.attack import judge
from bench.errors import UserError
from bench.experiment.tables import MEASURES, REGIONS
from bench.metrics.verification import encoder_flags
from bench.plan.knowledge import knowledge_of_all
from bench.records.migrations import FIRST_PROTOCOL
from bench.records.record import CLEAN_TOO, CellRecord, Metric, Named
from bench.release.outcomes import outcomes
from bench.submission.checks.of_users import place
from bench.submission.contents import Contents
from bench.submission.report import Check
from bench.types import Budget, Crop, EncoderCard, Face, FlagCode, Outcome, Score


def check_knowledge(contents: Contents) -> Check:
    """What a defense knew of the attacker's encoder, from digests, architectures and training sets."""
    check = Check("knowledge", "labels")
    for record in contents.records:
        try:
            adapted = not getattr(adaptations.make(record.adaptation.name)[1], "keeps_weights", False)
        except UserError:
            check.left["this program has no such adaptation"] += 1
            continue
        if record.protocol == FIRST_PROTOCOL:  # in which training an encoder further changed no label
            adapted = False
        check.compare(place(record), "knowledge", record.knowledge, knowledge_of(record, adapted=adapted))
    return check


def knowledge_of(record: CellRecord, *, adapted: bool = False) -> str:
    """What the defense of a record knew of the encoder, or of all encoders, that the record names.

    Args:
        record: Of a cell.
        adapted: Whether the attacker trained the encoder further.
    """
    members = list(map(_card, record.members or [record.encoder]))
    return knowledge_of_all(list(map(_card, record.surrogate)), members, adapted=adapted)


def _card(named: Named) -> EncoderCard:
    """As much of an encoder's card as a record states."""
    return EncoderCard(
        name=named.name,
        architecture=str(named.parameters.get("architecture") or ""),
        training_set=str(named.parameters.get("training_set") or ""),
        crop=Crop(1, "box"),
        dimensions=0,
        parameters=0,
        released="",
        licence="",
        source="",
        sha256=named.digest or "",
    )


def check_controls(contents: Contents) -> Check:
    """Rates on clean photos, which a record says twice."""
    check = Check("controls", "rates on clean photos")
    for record in contents.records:
        clean = record.controls.get("clean", {})
        if record.controls:
            check.left["each was said twice; assignments under controls are in no submission"] += len(clean)
        if record.own_cloaks:
            check.left["calibration people and their cloaks are in no submission"] += len(record.own_cloaks)
        for name in CLEAN_TOO:
            if name in clean or f"{name}_clean" in record.metrics:
                twice = record.metrics.get(f"{name}_clean")
                check.compare(
                    place(record),
                    f"metrics.{name}_clean",
                    twice and twice.model_dump(),
                    clean[name].model_dump() if name in clean else None,
                )
    return check


def check_flags(contents: Contents) -> Check:
    """Flags that figures, outcomes and the attacker's level decide."""
    check = Check("flags", "kinds of flags")
    for record in contents.records:
        if record.status != "ok":
            continue
        held = {flag.code for flag in record.flags}
        for code, expected in _due(record).items():
            # photos that cannot be read, and a count of people that was told, are flagged by other evidence
            if code in (FlagCode.WEAK_ATTACKER, FlagCode.ORACLE) and code in held and not expected:
                check.left["their evidence is in no record"] += 1
                continue
            check.compare(place(record), f"flags.{code}", code in held, expected)
    return check


def _due(record: CellRecord) -> dict[FlagCode, bool]:
    clean = {name: _score(name, metric) for name, metric in record.controls.get("clean", {}).items()}
    scores = {name: _score(name, metric) for name, metric in record.metrics.items()}
    due = {
        FlagCode.WEAK_ATTACKER: bool(judge.flags(scores, clean)),
        FlagCode.OUT_OF_BUDGET: record.outcomes.get(Outcome.OUT_OF_BUDGET, 0) > 0,
        FlagCode.ORACLE: record.level == "oracle",
    }
    if "encoder_auc" in scores:
        due[FlagCode.WEAK_ENCODER] = bool(encoder_flags(scores["encoder_auc"]))
    return due


def _score(name: str, metric: Metric) -> Score:
    value, low, high = (math.nan if v is None else v for v in (metric.value, metric.low, metric.high))
    return Score(name, value, low, high, metric.n, metric.better)


def check_costs(contents: Contents) -> tuple[Check, Check]:
    """Visible change and outcomes, from the measures of each photo."""
    summary = Check("visible change", "means and worst values")
    judged = Check("outcomes", "outcomes of photos")
    for record in contents.records:
        photos = contents.photos.get(record.cell)
        if record.status != "ok" or photos is None:
            continue
        where = place(record)
        counts = {
            str(name): int(n)
            for name, n in zip(*np.unique(photos["outcome"], return_counts=True), strict=True)
        }
        judged.compare(where, "outcomes", record.outcomes, counts)
        for region, stated in record.perceptual.items():
            for name, ends in stated.items():
                said = {end: ends.get(end) for end in ("mean", "worst")}
                for end, value in _summary(photos.get(f"{region}_{name}"), name).items():
                    summary.compare(where, f"perceptual.{region}.{name}.{end}", said[end], value)
        _judge(judged, where, record, photos)
    return summary, judged


def _summary(values: Any, name: str) -> dict[str, float | None]:
    held = np.zeros(0) if values is None else values[np.isfinite(values)]
    worst = MEASURES.get(name, max)
    if not held.size:
        return {"mean": None, "worst": None}
    return {"mean": math.fsum(held) / held.size, "worst": float(worst(held))}


_SOMEWHERE = Face((0.0, 0.0, 1.0, 1.0), (), 1.0)


def _judge(check: Check, where: str, record: CellRecord, photos: Mapping[str, Any]) -> None:
    """See that each photo has the outcome that its measures give."""
    said = photos["outcome"]
    if "photo_linf" not in photos:
        check.left["the table of photos has no measures"] += len(said)
        return
    costs = [
        None if outcome == Outcome.UNREADABLE else {"whole": whole, "face": face}
        for outcome, whole, face in zip(said, *(_measures(photos, region) for region in REGIONS), strict=True)
    ]
    failed = [outcome == Outcome.CLOAK_FAILED for outcome in said]
    seen = [_SOMEWHERE if faces else None for faces in photos.get("faces", np.ones(len(said)))]
    computed = outcomes(Budget.parse(record.budget), failed, costs, [None] * len(said), seen)
    for i, outcome in enumerate(computed):
        # where the detector saw another face is in no table
        if said[i] != Outcome.MISALIGNED or outcome != Outcome.OK:
            check.compare(f"{where}, photo {photos['photo'][i]}", "outcome", said[i], str(outcome))


def _measures(photos: Mapping[str, Any], region: str) -> list[dict[str, float]]:
    names = [name for name in MEASURES if f"{region}_{name}" in photos]
    rows = zip(*(photos[f"{region}_{name}"].tolist() for name in names), strict=True)
    count = len(photos["outcome"])
    return [dict(zip(names, row, strict=True)) for row in rows] if names else [{} for _ in range(count)]
