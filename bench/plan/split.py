"""Who plays which part: users, calibration, training, reference and background, disjoint by identity.

People are ordered by a digest of (seed, name), so that a split stays as it is when photos or other people
are added to the data set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.plan.too_few import TooFew
from bench.store.digests import digest
from bench.types import Catalogue, DatasetCard

MOST_USERS = 200
CALIBRATION = 30
CALIBRATION_PHOTOS = 5
REFERENCE = 64
TRAINING_SHARE = 4
"""Attackers train on at most one in so many of the people who are left when thresholds have theirs."""
LEAST_TRAINING = 8
"""Fewer people with many photos are too few to train on: then attackers train on calibration people."""
CROWD_SHARE = 5
"""Where the background is asked for, a crowd has at most this many people for each user and each person of
the background: a small trial is small."""
CROWD = 1000
"""At most this many further calibration people, with however few photos they have: thresholds tuned on a few
well-photographed people alone are too wide for a collection (design/008-calibration-crowd.md)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a split should be.

    Attributes:
        users: How many users are protected; None takes the data set's default.
        photos: How many photos each user releases (m).
        labelled: How many clean labelled photos each user has besides (a); 0 unless the scenario has some.
        background: How many background people there are; None takes the data set's default.
        seed: The seed of the order of people and of their photos.
        calibration: How many people attackers are tuned on in all; None takes `CALIBRATION` and a crowd.
        draw: The number of the draw of everybody but the users and the reference. Another draw has other
            people to calibrate on and another background, as far as there are people; the users and their
            cloaks stay.
        background_photos: How many photos each person of the background and of the crowds has, at most; None
            takes `photos`.
    """

    users: int | None
    photos: int
    labelled: int
    background: int | None
    seed: int
    draw: int = 0
    calibration: int | None = None
    background_photos: int | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Names of photos by part; each inner tuple is one person.

    Attributes:
        released: The m photos of each protected user.
        labelled: The a clean labelled photos of each protected user, in the same order.
        people: The users' names, in the same order; only metrics look at them.
        calibration: Clean photos of people on whom attackers tune their thresholds: some people with many
            photos, and a crowd with however few they have.
        reference: One clean photo each of people whom a defense may look at.
        background: Clean photos of everybody else: the attacker's haystack.
        training: Clean photos of people whom attackers train on, ordered like `calibration`; empty where
            there are too few people, so that attackers train on those whom they tune thresholds on.
        crowd: How many of the calibration people, the last ones, are the crowd.
        training_crowd: How many of the training people, the last ones, have however few photos.
        boxes: Where the data set says that faces are, see `bench.types.Catalogue.boxes`.
    """

    released: tuple[tuple[str, ...], ...]
    labelled: tuple[tuple[str, ...], ...]
    people: tuple[str, ...]
    calibration: tuple[tuple[str, ...], ...]
    reference: tuple[tuple[str, ...], ...]
    background: tuple[tuple[str, ...], ...]
    training: tuple[tuple[str, ...], ...] = ()
    crowd: int = 0
    training_crowd: int = 0
    boxes: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """The name of each part -> its people, in the order of manifests; the crowd is a part of its own."""
        alone = len(self.calibration) - self.crowd
        return {
            "released": self.released,
            "labelled": self.labelled,
            "calibration": self.calibration[:alone],
            "crowd": self.calibration[alone:],
            "training": self.training,
            "reference": self.reference,
            "background": self.background,
        }

    @property
    def photos(self) -> list[str]:
        """The names of all photos, part by part: the released ones come first."""
        return [photo for people in self.parts.values() for person in people for photo in person]


def split(catalogue: Catalogue, card: DatasetCard, request: Request) -> Split:
    """Divide a data set's people.

    Raises:
        UserError: The data set has too few people with enough photos.
    """
    photos: dict[str, list[str]] = defaultdict(list)
    for photo, person in zip(catalogue.photos, catalogue.identities, strict=True):
        photos[person].append(photo)
    seed = request.seed

    def by_lot(names: list[str], purpose: str) -> list[str]:
        return sorted(names, key=lambda name: digest(seed, purpose, name))

    need = request.photos + request.labelled
    people = by_lot(list(photos), "person")
    may = [name for name in people if not catalogue.protected or name in catalogue.protected]
    able = [name for name in may if len(photos[name]) >= need]
    fault = TooFew(request, catalogue, card, len(able), max((len(photos[name]) for name in may), default=0))
    count = len(able) if catalogue.protected and request.users is None else None
    users = able[: count or _user_count(request, card, len(able), fault)]
    rest = _without(people, [*users, *catalogue.protected])
    # at most half of the others, so that a small data set keeps people for the remaining parts
    most = min(CALIBRATION, max(2, len(rest) // 2), request.calibration or CALIBRATION)
    enough = min(CALIBRATION_PHOTOS, request.photos)

    def well_known(names: list[str]) -> list[str]:
        return [name for name in names if len(photos[name]) >= enough][:most]

    calibration = well_known(rest)
    if len(calibration) < 2:
        raise fault.nobody_to_tune_on(len(users), len(calibration), enough)
    left = _without(rest, calibration)
    reference = left[: min(REFERENCE, len(left) // 2)]
    others = left[len(reference) :]
    if request.draw:
        pool = by_lot(_without(rest, reference), f"draw {request.draw}")
        calibration = well_known(pool)
        others = _without(pool, calibration)
    known = _training(request, len(users), len(calibration), others, well_known(others))
    others = _without(others, known)
    crowd = others[: _crowd(request, len(users), len(calibration), len(others))]
    background = others[len(crowd) :]
    asked = len(calibration) + len(crowd)
    if request.calibration is not None and asked < request.calibration:
        raise fault.too_few("calibration", request.calibration, asked)
    wanted = request.background if request.background is not None else card.default_background
    if request.background is not None and request.background > len(background):
        raise fault.too_few("background", request.background, len(background))
    further = min(len(crowd), _spare(len(background), wanted)) if known else 0
    training = [*known, *background[len(background) - further :]]
    background = background[: len(background) - further][:wanted]

    few = min(request.photos, request.background_photos or request.photos)

    def shown(name: str) -> list[str]:
        return by_lot(photos[name], "photo")

    def group(many: list[str], others: list[str]) -> tuple[tuple[str, ...], ...]:
        sizes = [*((name, request.photos) for name in many), *((name, few) for name in others)]
        return tuple(tuple(shown(name)[:most]) for name, most in sizes)

    return Split(
        released=tuple(tuple(shown(name)[: request.photos]) for name in users),
        labelled=tuple(tuple(shown(name)[request.photos : need]) for name in users),
        people=tuple(users),
        calibration=group(calibration, crowd),
        reference=tuple((shown(name)[0],) for name in reference),
        background=group([], background),
        training=group(known, training[len(known) :]),
        crowd=len(crowd),
        training_crowd=further,
        boxes=catalogue.boxes,
    )


def _without(names: list[str], taken: list[str]) -> list[str]:
    gone = set(taken)
    return [name for name in names if name not in gone]


def _training(
    request: Request, users: int, calibration: int, others: list[str], able: list[str]
) -> list[str]:
    """The people with many photos whom attackers train on; nobody where there are too few.

    Args:
        request: What the split should be.
        users: The number of users.
        calibration: The number of calibration people with many photos.
        others: Everybody who is left for training, the crowd and the background.
        able: Those of the others who have enough photos, and no more than attackers are tuned on.
    """
    most = min(calibration, len(others) // TRAINING_SHARE)
    if request.background is not None or request.calibration is not None:
        asked = (request.background or 0) + _crowd(request, users, calibration, len(others))
        most = min(most, max(0, len(others) - asked))
    return able[:most] if min(most, len(able)) >= LEAST_TRAINING else []


def _spare(left: int, wanted: int | None) -> int:
    """How many of those who are left need not be in the background: a third, where nothing was asked for."""
    return left // 3 if wanted is None else max(0, left - wanted)


def _crowd(request: Request, users: int, calibration: int, others: int) -> int:
    """How many people the crowd has.

    Args:
        request: What the split should be.
        users: The number of users.
        calibration: The number of calibration people with many photos.
        others: The number of people who are left for the crowd and the background.
    """
    if request.calibration is not None:
        return min(request.calibration - calibration, others)
    # a third of the haystack is tuned on, the other two thirds are searched in
    most = min(CROWD, others // 3)
    if request.background is None:
        return most
    return min(most, CROWD_SHARE * (users + request.background))


def _user_count(request: Request, card: DatasetCard, able: int, fault: TooFew) -> int:
    if request.users is not None:
        if request.users > able:
            raise fault.too_few_users(request.users)
        return request.users
    if card.default_users is not None and card.default_users <= able:
        return card.default_users
    # leave people to calibrate on: a third of those who could be users, 30 at most
    most = min(MOST_USERS, able - min(CALIBRATION, able // 3))
    if most < 1:
        raise fault.too_few_users(None)
    return most
