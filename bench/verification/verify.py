"""One verification, from its settings to its records: what `bench verify` and Python share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench import encoders, registry
from bench.encoders import trial_run
from bench.encoders.faults import EncoderFault
from bench.errors import PassingError, RefusedError, UserError
from bench.experiment.recording import detector
from bench.experiment.session import execute as run
from bench.faces.finder import detector_parameters
from bench.machine.devices import device
from bench.machine.environment import environment
from bench.machine.memory import peak_memory
from bench.machine.progress import Progress, Silent
from bench.metrics.ten_fold import REFUSED, Scored, verified
from bench.metrics.verification import encoder_flags
from bench.parameters import plain
from bench.photos.collection import Photos, clean_photos
from bench.photos.distinct import opened
from bench.plan.chosen import Chosen
from bench.plan.detectors import own
from bench.plan.spec import RunSpec
from bench.recognition.embedded import Embedded
from bench.recognition.observer import Observed, Observer
from bench.records.record import Cost, Metric, Named, finite
from bench.store.cache import Cache
from bench.store.digests import digest
from bench.store.folders import folders
from bench.types import EncoderCard, Folders, Labels
from bench.verification.pairs import FOLDS, Pairs, calibration, pairs
from bench.verification.records import CLUSTERING, Clean, VerificationRecord
from bench.verification.speed import speed

SYNTHETIC, REAL = "synthetic", "lfw"


@dataclass(frozen=True, slots=True)
class VerificationSpec:
    """The settings of a verification; see `bench verify --help`.

    Attributes:
        encoders: The encoders' names; empty for every encoder that is here.
        dataset: The data set. None takes the built-in faces for built-in encoders, and LFW for the others.
        pairs: The number of pairs to draw where there is no list of pairs.
        seed: The seed of the draw.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        clustering: Whether to cluster clean photos as well.
        speed: Whether to measure the speed of embedding as well.
    """

    encoders: tuple[str, ...]
    dataset: str | None = None
    pairs: int = 6000
    seed: int = 0
    device: str = "auto"
    clustering: bool = False
    speed: bool = False


@dataclass(frozen=True)
class _Ground:
    """Everything that the encoders of one data set share."""

    device: str
    dataset: Named
    photos: Photos
    pairs: Pairs
    further: tuple[Labels, Labels, Labels]


@dataclass(frozen=True)
class Verified:
    """What came of a verification.

    Attributes:
        records: One record an encoder.
        faults: What kept encoders from having one, or from having all of it.
    """

    records: list[VerificationRecord]
    faults: list[UserError]


def verify(spec: VerificationSpec, progress: Progress | None = None) -> Verified:
    """Verify encoders. Faces and embeddings are cached: a second run embeds nothing.

    An encoder that gives no embedding is among the faults, and the others go on.

    Raises:
        UserError: There is something that the user can mend and that concerns all of them, or no encoder
            has a record.
    """
    if spec.pairs < 2 * FOLDS:
        raise UserError(f"--pairs {spec.pairs} is too small: {FOLDS} folds need at least {2 * FOLDS}.")
    if spec.seed < 0:
        raise UserError(f"--seed {spec.seed} is too small: it must be at least 0.")
    where, on = folders(), device(spec.device)
    wanted: dict[str, list[tuple[str, EncoderCard]]] = {}
    faults: list[UserError] = []
    chosen = _cards(spec.encoders, where, faults)
    encoders.distinct(chosen.values())
    for name, card in chosen.items():
        wanted.setdefault(spec.dataset or _usual(card), []).append((name, card))
    reporting = progress or Silent()
    out: list[VerificationRecord] = []
    for dataset, cards in wanted.items():
        ground = _ground(spec, dataset, where, on, reporting)
        cache = Cache(Path(where.home))
        try:
            observer = Observer.on(on, where, cache, reporting)
            cost = _look(ground, [card for _, card in cards], observer, cache)
            records = {}
            for name, card in cards:
                try:
                    records[name] = _verified(spec, ground, card, observer, cost)
                except RefusedError as fault:
                    faults.append(fault)
        finally:
            cache.close()
        if spec.clustering and records:
            clustered = _clustered(spec, dataset, list(records), reporting, faults)
            records |= {
                name: record.model_copy(update={"clustering": clustered[record.encoder.name]})
                for name, record in records.items()
                if record.encoder.name in clustered
            }
        out += records.values()
    if faults and not out:
        raise faults[0]
    return Verified(out, faults)


def _look(ground: _Ground, cards: Sequence[EncoderCard], observer: Observer, cache: Cache) -> Cost:
    """See every photo through every encoder, so that each is decoded once for a detector.

    A network that gives no embedding is left to its own look, which fails.

    Returns:
        What it took for all of them together.
    """
    began = time.monotonic()
    for found_by in dict.fromkeys(card.detector for card in cards):
        alike = [card for card in cards if card.detector == found_by]
        with suppress(EncoderFault):
            observer.with_detector(found_by).observe(ground.photos, alike, "photos of pairs")
    return Cost(
        seconds={"observe": round(time.monotonic() - began, 3)},
        peak_memory_mib=peak_memory(),
        device=ground.device,
        providers=observer.pool.runtimes(),
        cache_hits={stage: count for stage, count in cache.hits.items() if count},
    )


def _usual(card: EncoderCard) -> str:
    return SYNTHETIC if card.name in encoders.built_in() else REAL


def _cards(names: Sequence[str], where: Folders, faults: list[UserError]) -> dict[str, EncoderCard]:
    """The encoders by the names that were typed, or all that are here and not altered.

    Raises:
        UserError: A name was typed that no encoder has, or whose weights are not what they should be.
    """
    if names:
        return {name: _ready(_single(name), where) for name in names}
    ready = {}
    for card in [card for card, state in encoders.availability(where) if state == encoders.READY]:
        try:
            ready[card.name] = _ready(card.name, where)
        except PassingError:
            raise
        except UserError as error:
            faults.append(error)
    return ready


def _ready(name: str, where: Folders) -> EncoderCard:
    """The card of an encoder that is here, with the detector that it names."""
    card = trial_run.ready(name, where)
    own(card, where)
    return card


def _single(text: str) -> str:
    """The one encoder that a text names."""
    asked = encoders.read(text)
    if len(asked.members) > 1 or asked.rule:
        raise UserError(f"encoder {text!r}: encoders are verified one by one. Type {asked.members[0]!r}, …")
    return asked.members[0]


def _ground(spec: VerificationSpec, text: str, where: Folders, on: str, progress: Progress) -> _Ground:
    chosen = Chosen(*registry.make("datasets", text))
    data = opened(chosen.plugin, where, progress)
    catalogue = data.catalogue()
    compared = pairs(chosen.name, catalogue, where, spec.pairs, spec.seed)
    described = Named(
        name=chosen.name,
        parameters={**chosen.parameters, **data.card.resolved},
        digest=data.card.revision,
    )
    photos = clean_photos(data, compared.photos, catalogue.boxes)
    return _Ground(on, described, photos, compared, calibration(compared, spec.seed))


def _verified(
    spec: VerificationSpec, ground: _Ground, card: EncoderCard, observer: Observer, cost: Cost
) -> VerificationRecord:
    photos = ground.photos
    seen = observer.with_detector(card.detector).observe(photos, [card], "photos of pairs")
    compared, further = ground.pairs, ground.further
    vectors = seen.embeddings[card.name]
    scored = Scored(
        _cosines(vectors, compared.first, compared.second),
        compared.same,
        compared.folds,
        compared.people[compared.first],
        compared.people[compared.second],
    )
    result = verified(scored, _cosines(vectors, further[0], further[1]), further[2])
    return VerificationRecord(
        encoder=Named(
            name=card.name,
            parameters={
                "architecture": card.architecture,
                "training_set": card.training_set,
                "crop": plain(card.crop),
                "preprocessing": plain(card.preprocessing),
                "dimensions": card.dimensions,
                "parameters": card.parameters,
                "released": card.released,
                "licence": card.licence,
                "source": card.source,
            },
            digest=card.sha256,
        ),
        dataset=ground.dataset,
        detector=detector(detector_parameters(card.detector)),
        pairs=compared.protocol,
        pairs_digest=digest(
            photos.digests,
            plain(photos.boxes),
            compared.first.tolist(),
            compared.second.tolist(),
            compared.folds.tolist(),
        ),
        seed=spec.seed,
        counts=_counts(ground, seen, scored),
        metrics={name: Metric.of(score) for name, score in result.scores.items()},
        standard_error=result.standard_error,
        fold_accuracy=list(result.fold_accuracy),
        thresholds={name: [finite(v) for v in values] for name, values in result.thresholds.items()},
        speed=speed(observer.pool.encoder(card), ground.device) if spec.speed else None,
        flags=encoder_flags(result.scores["auc_detected"]),
        notes=[compared.note] if compared.note else [],
        cost=cost,
        environment=environment(),
    )


def _cosines(seen: Embedded, first: Labels, second: Labels) -> npt.NDArray[np.float64]:
    """The cosine of each pair; `REFUSED` where a photo has no face."""
    cosines = np.einsum("ij,ij->i", seen.vectors[first], seen.vectors[second], dtype=np.float64)
    return np.where(seen.has_face[first] & seen.has_face[second], cosines, REFUSED)


def _counts(ground: _Ground, seen: Observed, scored: Scored) -> dict[str, int]:
    blind = sum(face is None for face in seen.faces)
    return {
        "photos": len(seen.faces),
        "people": int(ground.pairs.people.max()) + 1,
        "genuine": int(scored.same.sum()),
        "impostor": int((~scored.same).sum()),
        "calibration_impostor": len(ground.further[0]),
        "not_detected": blind - len(seen.unreadable),
        "unreadable": len(seen.unreadable),
        "pairs_without_face": int((scored.scores == REFUSED).sum()),
        "listed_pairs": ground.pairs.listed,
        "listed_pairs_available": ground.pairs.available,
    }


def _clustered(
    spec: VerificationSpec,
    dataset: str,
    names: Sequence[str],
    progress: Progress,
    faults: list[UserError],
) -> dict[str, Clean]:
    """Calibrated DBSCAN on clean photos, as `bench run --defense none --attacker dbscan` runs it.

    Returns:
        Name of the encoder -> what came of it, for those whose cell went well.
    """
    run_spec = RunSpec(dataset=dataset, encoders=tuple(names), seed=spec.seed, device=spec.device)
    try:
        session = run(replace(run_spec, defenses=("none",), attackers=("dbscan",)), progress)
    except PassingError:
        raise
    except UserError as refused:  # such as too few people for a run: the figures of pairs are kept
        faults.append(refused)
        return {}
    for fault in session.faults:
        if not isinstance(fault, UserError):
            raise fault
        faults.append(fault)
    return {
        cell.encoder.name: Clean(
            cell=cell.cell,
            users=cell.scenario.parameters["users"],
            background=cell.scenario.parameters["background"],
            metrics={name: cell.metrics[name] for name in CLUSTERING if name in cell.metrics},
        )
        for cell in session.records
        if cell.status == "ok"
    }
