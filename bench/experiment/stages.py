"""The stages of one cell, each by the name that a paper's method section would give it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from bench import channels, registry
from bench.attack.calibration import Calibration, Lessons
from bench.attack.cloak_judge import judge_detector
from bench.attack.corpus import Corpus
from bench.attack.distractors import Crowds
from bench.attack.encoder_at_hand import behind
from bench.attack.own_cloaks import on_own_cloaks
from bench.attack.runner import AttackResult, AttackRunner, attack_views
from bench.attack.tuning import Tuned
from bench.channels.protocol import Channel
from bench.errors import RefusedError, of_one_cell
from bench.experiment.repetition import Repetition
from bench.experiment.unused import Unused, unused
from bench.metrics.clustering import PROTOCOL
from bench.photos.collection import Photos
from bench.photos.through_channel import through
from bench.plan.cells import Cell
from bench.plan.chosen import Chosen
from bench.recognition.attacker_view import AttackerView, trains
from bench.recognition.cloak_detector import Suspicion
from bench.recognition.embedded import Embedded, all_faces, joined
from bench.recognition.observer import Observed
from bench.release.costs import Costs
from bench.release.outcomes import outcomes
from bench.release.release import Release
from bench.types import Flag, FlagCode, Outcome, Score

CONTROL = "noise"
"""The defense that spends a cell's budget without looking at an encoder."""

DISTRACTOR_PHOTOS = PROTOCOL.support
"""Photos of each simulated stranger: as many as a cluster needs."""


@dataclass(frozen=True)
class Seen:
    """What the attacker saw of the users' photos.

    Attributes:
        released: The photos as published, after the platform.
        clean: The same photos as they were.
        controls: Name of a control -> the same photos under that control.
    """

    released: Observed
    clean: Observed
    controls: dict[str, Embedded]


@dataclass(frozen=True)
class Collection:
    """What the attacker holds besides the released photos.

    Attributes:
        clean: Clean photos: the users' labelled ones, everybody else's, and simulated strangers.
        corpus: Who is on the released photos and on these.
        calibration: Clean photos of calibration people.
        tuned_on: Photos of calibration people as the attacker's level has them.
        lessons: Photos of people whom the attacker trains on; None where it does not train on embeddings.
    """

    clean: Embedded
    corpus: Corpus
    calibration: Calibration
    tuned_on: Calibration
    lessons: Lessons | None = None


@dataclass
class Clock:
    """How long each stage took.

    Attributes:
        seconds: Name of a stage -> seconds.
    """

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time spent inside towards a stage."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began


@dataclass(frozen=True)
class Stages:
    """The stages of one cell.

    Attributes:
        cell: The cell.
        repetition: The split that the cell belongs to.
        view: What the cell's attacker sees.
        runner: Runs attackers.
        crowds: Draws simulated strangers.
        clock: Counts the time of every stage.
    """

    cell: Cell
    repetition: Repetition
    view: AttackerView
    runner: AttackRunner
    crowds: Crowds
    clock: Clock

    def publish(self) -> Release:
        """Cloak the users' photos, and encode what is published."""
        with self.clock.stage("cloak"):
            return self.repetition.publisher.release(self.cell.cloaking)

    def measure(self, release: Release) -> Costs:
        """The perceptual cost of what is published."""
        with self.clock.stage("measure"):
            return self.repetition.publisher.costs(release)

    def look(self, release: Release) -> Seen:
        """What the attacker sees of the users' photos: released, clean, and under every control."""
        with self.clock.stage("observe"):
            released = self.view.look(through(release.photos(), self._platform), "released photos")
            clean = self.view.look(self.repetition.clean, "clean photos", again=True)
        with self.clock.stage("controls"):
            controls = {
                name: self.view.embed(photos, f"control {name}", again=True)
                for name, photos in self.controls().items()
            }
        return Seen(released, clean, controls)

    def judge_files(self, release: Release, costs: Costs, seen: Seen) -> list[Outcome]:
        """What became of every released photo."""
        faces = seen.clean.faces, seen.released.faces
        return outcomes(self.cell.cloaking.budget, release.failed, costs, *faces)

    def collect(self, users: Seen) -> Collection:
        """What the attacker holds besides: clean photos, calibration people, strangers.

        Args:
            users: Simulated strangers resemble the users as they were, and the people of the background.
        """
        repetition, attack = self.repetition, self.cell.attack
        with self.clock.stage("observe"):
            clean = self.view.embed(repetition.attackers_clean, "background", again=True)
            photos, people = repetition.calibration
            seen = self.view.embed(photos, "calibration people", again=True)
            calibration = Calibration(seen, people, repetition.known)
            tuned_on = self._cloaked_calibration() if attack.level == "adaptive" else calibration
            lessons = self._lessons() if attacker_trains(self.cell) else None
        corpus = repetition.corpus
        if attack.distractors:
            with self.clock.stage("attack"), of_one_cell():
                seed = self.cell.seed + repetition.number
                people_known = calibration.embeddings, calibration.people
                present = joined([self._embedded(users.clean), clean])
                people_present = present.of_faces, corpus.owners[present.has_face]
                crowd, strangers = self.crowds.of(
                    repetition.number,
                    people_known,
                    people_present,
                    attack.distractors,
                    DISTRACTOR_PHOTOS,
                    seed,
                )
            clean, corpus = joined([clean, all_faces(crowd)]), corpus.among(strangers)
        return Collection(clean, corpus, calibration, tuned_on, lessons)

    def unused(self, seen: Seen) -> list[Unused]:
        """Photos of the split that nobody can use; call it when everything was looked at."""
        repetition = self.repetition
        with self.clock.stage("observe"):
            held = self.view.look(repetition.attackers_clean, "background", again=True)
            tuned_on = self.view.look(repetition.calibration[0], "calibration people", again=True)
            reference = repetition.publisher.reference_faces()
            training = None
            if repetition.training is not None and (trains(self.cell.view) or attacker_trains(self.cell)):
                training = self.view.faces(repetition.training[0], "training people")
        return unused(repetition, seen.clean, held, tuned_on, reference, training)

    def doubtful_tuning(self) -> list[Flag]:
        """The flag of a cell whose thresholds are tuned on people whom its attacker trained on."""
        if self.repetition.training is not None or not trains(self.cell.view):
            return []
        reason = "the data set has too few people to train on others than those whom thresholds are tuned on"
        return [Flag(FlagCode.SHARED_TRAINING, reason)]

    def tune(self, seen: Seen, collection: Collection) -> Tuned:
        """The attacker, its thresholds frozen.

        Raises:
            RefusedError: Too few people are left to tune it on.
        """
        tuned_on = collection.tuned_on
        with self.clock.stage("attack"):
            whole = joined([self._embedded(seen.released), collection.clean])
            attack = behind(self.cell.attack, self.cell.view)
            try:
                return self.runner.tune(attack, tuned_on, whole, collection.corpus, collection.lessons)
            except RefusedError as error:
                faceless = int((~tuned_on.photos.has_face).sum())
                if attack.level != "adaptive" or not faceless:
                    raise
                raise RefusedError(
                    f"{error} In {faceless} of {len(tuned_on.photos)} photos of calibration people, as the "
                    "attacker cloaked them, no face is found."
                ) from error

    def try_on_own_cloaks(self, tuned: Tuned, collection: Collection) -> dict[str, Score]:
        """What the attacker achieves on its own cloaks of calibration people; empty if it made none."""
        if self.cell.attack.level != "adaptive" or tuned.attacker.card.oracle:
            return {}
        with self.clock.stage("attack"), of_one_cell():
            poisoned = collection.corpus.poisoned
            return on_own_cloaks(
                tuned.attacker,
                collection.tuned_on,
                collection.calibration,
                poisoned=poisoned,
                second_step=tuned.second_step,
            )

    def attack(self, tuned: Tuned, seen: Seen, collection: Collection, became: list[Outcome]) -> AttackResult:
        """Attack what was released, and every control."""
        views = {"released": self._embedded(seen.released), "clean": self._embedded(seen.clean)}
        with self.clock.stage("attack"):
            return attack_views(
                self.runner,
                tuned,
                views | seen.controls,
                collection.clean,
                collection.corpus,
                collection.calibration,
                np.array([outcome != Outcome.OK for outcome in became]),
                seed=self.cell.seed,
                searched=self.cell.scenario["name"] == "evasion",
            )

    def detect_cloaks(self, release: Release) -> tuple[dict[str, Score], dict[str, Score]]:
        """How well a classifier of the attacker's own recognises cloaks; empty if there is none.

        Returns:
            Its figures on the users' photos, and at level `adaptive` those on the calibration people whom the
            attacker cloaked, where it did not learn from them.
        """
        if self.cell.view.cloak_detector == "none":
            return {}, {}
        repetition, cloaking, platform = self.repetition, self.cell.cloaking, self._platform
        lessons = repetition.training_data(cloaking, platform)
        with self.clock.stage("observe"), of_one_cell():
            suspicion = Suspicion.learned(lessons, platform, self.view.residuals)
            published = self.view.residuals(through(release.photos(), platform), "released photos")
            before = self.view.residuals(through(repetition.clean, platform), "clean photos")
        score, of_clean = suspicion.detector.score, suspicion.of_clean
        with self.clock.stage("attack"):
            users = repetition.corpus.owners[repetition.corpus.released]
            of_users = judge_detector(score(published), score(before), users, of_clean)
        if self.cell.attack.level != "adaptive" or repetition.training is None:
            return of_users, {}
        with self.clock.stage("observe"):
            own_cloaks, owners = repetition.cloaked_calibration(cloaking, platform)
            figures = self.view.residuals(own_cloaks, "cloaks of calibration people")
        # where there are training people, those held out are the calibration people, the crowd last
        own = np.isin(repetition.calibration[1], repetition.known)
        return of_users, judge_detector(score(figures), of_clean[own], owners, of_clean[~own])

    def suspected(self, release: Release) -> dict[str, int]:
        """How many photos the attacker took for cloaked; empty unless it does something with them.

        Returns:
            Photos that it looked at -> a number: the users' as published, the same as they were, its own
            clean ones, and those of calibration people.
        """
        if not self.cell.view.suspected:
            return {}
        looked_at = {
            "released": through(release.photos(), self._platform),
            "clean": self.repetition.clean,
            "held": self.repetition.attackers_clean,
            "calibration": self.repetition.calibration[0],
        }
        with self.clock.stage("observe"):
            return {
                name: int(self.view.suspected(photos, f"{name} photos").sum())
                for name, photos in looked_at.items()
            }

    @property
    def _platform(self) -> Channel:
        return channels.platform(self.cell.view.channel)

    def _embedded(self, observed: Observed) -> Embedded:
        return observed.embeddings[self.cell.view.encoder.name]

    def _cloaked_calibration(self) -> Calibration:
        """Calibration people cloaked by the attacker, in a clean crowd."""
        cloaks, people = self.repetition.cloaked_calibration(self.cell.cloaking, self._platform)
        crowd, others = self.repetition.crowd
        seen = [
            self.view.embed(cloaks, "cloaks of calibration people"),
            self.view.embed(crowd, "crowd", again=True),
        ]
        return Calibration(joined(seen), np.concatenate([people, others]), self.repetition.known)

    def _lessons(self) -> Lessons | None:
        """Training people, clean, and but at level oblivious cloaked, too; None where there are none.

        An oracle has what the other levels have: it is an upper bound on them.
        """
        if self.repetition.training is None:
            return None
        data = self.repetition.training_data(self.cell.cloaking, self._platform)
        parts = [(self.view.embed(data.clean, "training people", again=True), data.people)]
        if self.cell.attack.level != "oblivious":
            cloaks, people = data.cloaks
            parts.append((self.view.embed(cloaks, "cloaks of training people"), people))
        return Lessons(
            np.concatenate([seen.of_faces for seen, _ in parts]),
            np.concatenate([people[seen.has_face] for seen, people in parts]),
            np.repeat(np.arange(len(parts)) > 0, [int(seen.has_face.sum()) for seen, _ in parts]),
        )

    def controls(self) -> dict[str, Photos]:
        """Other versions of the users' photos that the same attacker is shown."""
        cloaking, controls = self.cell.cloaking, {}
        if str(self._platform) != "none":
            controls["channel"] = through(self.repetition.clean, self._platform)
        noisy = Chosen(*registry.make("defenses", CONTROL))
        if cloaking.budget.kind in noisy.plugin.card.keeps:
            noise = replace(cloaking, defense=noisy, surrogates=())
            controls["noise"] = through(self.repetition.publisher.release(noise).photos(), self._platform)
        return controls


def attacker_trains(cell: Cell) -> bool:
    """Whether a cell's attacker trains on embeddings."""
    return hasattr(cell.attack.attacker.plugin, "trained")
