"""Fitting the model of strangers to calibration people; `bench.attack.stranger_model` describes it.

`within` is shrunk towards a sphere as in Ledoit and Wolf (2004), for there are fewer photos than an honest
512 x 512 covariance needs; `between` is shrunk just so far that the mean squared cosine of two strangers is
that of real ones, which is known without bias.

The tail of that cosine is fitted where three pairs of calibration people exceed it, but at most at one pair
in 10,000 (`share`). `pull` makes that share of pairs of strangers as alike as of pairs of calibration people.
Beyond, the cosines of real people are continued along a straight line in normal deviates, through that share
and ten times as much. The photos of two people are less alike than the people are, so `level` and `slope` are
the line's times a scale. The scale is the one number that makes strangers as alike to somebody whom the model
never saw: a quarter of the calibration people is held out in turn, strangers are drawn after the other three
quarters with the quarter present, and the share of their pairs with the quarter's photos that exceed the
cosine is counted. `resembling` is what that share lacks when nobody is resembled. Where photos are too few to
know a tail, all of these are 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from bench.attack.stranger_model import Crowd, Floats, Present, draw
from bench.errors import UserError
from bench.types import Labels

_LEAST_PEOPLE = 10  # with two photos, below which they say little about anybody else
_LEAST_ALIKE = 0.01  # mean cosine of a person's photos: one of whom they do not look alike at all
_DRAWN = 1000  # strangers that are drawn to see how alike strangers are
_CORRECTIONS = 3
_PAIRS = 100_000  # of photos, below which their most alike are chance
_MOST_PULL = 0.98  # a stranger is never a copy
_HALVINGS = 8
_QUARTERS = 4
_MOST_SCALE = 2.0
_HEAVY = 0.95  # share of a real cosine: a tail that reaches it is heavy enough
_RAREST = 1e-4  # share of pairs, beyond which the tail is continued
_LEAST_PAIRS = 3  # of people, below which their most alike are chance
_MOST_ROWS = 5000  # photos whose pairs are all looked at
_BLOCK = 2**22  # numbers held at once: 32 MB


def fit(embeddings: npt.ArrayLike, people: npt.ArrayLike) -> Crowd:
    """Learn what people look like to an encoder.

    Each person counts the same for the spread of people, however many photos there are of them; people with
    one photo count there, and only those with more tell about deviations.

    Args:
        embeddings: [photo, dimension], unit rows of calibration identities.
        people: int [photo].

    Raises:
        UserError: for fewer than 10 people with two photos.
        ValueError: for rows that are not finite, or not one person a photo.
    """
    rows, owners = np.asarray(embeddings, np.float64), np.asarray(people)
    if rows.ndim != 2 or owners.shape != rows.shape[:1] or not np.isfinite(rows).all():
        raise ValueError(
            f"embeddings {rows.shape} must be finite, with a person for each row: {owners.shape}"
        )
    person, counts = np.unique(owners, return_inverse=True, return_counts=True)[1:]
    several = int((counts > 1).sum())
    if several < _LEAST_PEOPLE:
        raise UserError(
            f"distractors are drawn after at least {_LEAST_PEOPLE} calibration people with 2 photos each; "
            f"this split has {several}. Take fewer --users, or a data set with more people."
        )
    crowd = _without_tail(rows, person)
    if rows.shape[0] ** 2 / 2 < _PAIRS:
        return crowd
    share = max(_RAREST, _LEAST_PAIRS / (counts.size * (counts.size - 1) / 2))
    some = rows[:_MOST_ROWS], person[:_MOST_ROWS]
    often, rarely = _exceeded(*some, [10 * share, share])
    slope = (rarely - often) / (_deviate(share) - _deviate(10 * share))
    crowd = replace(crowd, pull=_pull(crowd, share, rarely))
    held_out = _HeldOut.of(*some, crowd.pull)
    if held_out.exceeding(crowd, _HEAVY * rarely) >= share:
        return crowd
    resembling = max(0.0, 1 - held_out.exceeding(crowd, rarely) / share)
    level = rarely - slope * _deviate(share)
    crowd = replace(crowd, level=level, slope=slope, resembling=resembling, rare=share)

    def light(scale: float) -> bool:
        return held_out.exceeding(_scaled(crowd, scale), rarely) < share

    return _scaled(crowd, _halved(light, 0.0, _MOST_SCALE))


def _scaled(crowd: Crowd, scale: float) -> Crowd:
    return replace(crowd, level=scale * crowd.level, slope=scale * crowd.slope)


@dataclass(frozen=True)
class _HeldOut:
    """Quarters of the calibration people, each with a model of the other three.

    Attributes:
        crowds: A model of the others, for every quarter.
        rows: [photo, dimension], photos of the quarter.
        present: The people of the quarter.
    """

    crowds: tuple[Crowd, ...]
    rows: tuple[Floats, ...]
    present: tuple[Present, ...]

    @classmethod
    def of(cls, rows: Floats, person: Labels, pull: float) -> _HeldOut:
        """Fit the models.

        Args:
            rows: [photo, dimension], unit rows.
            person: int [photo], people from 0.
            pull: See `Crowd`.
        """
        counts = np.bincount(person)
        turn = np.empty(counts.size, np.int64)
        # in turn, and first those with several photos: each quarter leaves some of them to learn from
        turn[np.argsort(counts < 2, kind="stable")] = np.arange(counts.size)
        quarters = [turn[person] % _QUARTERS == quarter for quarter in range(_QUARTERS)]
        others = [np.unique(person[~held], return_inverse=True)[1] for held in quarters]
        return cls(
            tuple(
                replace(_without_tail(rows[~held], theirs), pull=pull)
                for held, theirs in zip(quarters, others, strict=True)
            ),
            tuple(rows[held] for held in quarters),
            tuple(Present.of(rows[held], person[held]) for held in quarters),
        )

    def exceeding(self, tail: Crowd, cosine: float) -> float:
        """The share of pairs of a photo held out and a stranger that exceed a cosine.

        Args:
            tail: Its level, slope and share of strangers who resemble somebody are taken.
            cosine: From -1 to 1.
        """
        shares = []
        for crowd, rows, present in zip(self.crowds, self.rows, self.present, strict=True):
            model = replace(crowd, level=tail.level, slope=tail.slope, resembling=tail.resembling)
            strangers = draw(model, _DRAWN, 1, seed=2, present=present)[0].astype(np.float64)
            shares.append(float((rows @ strangers.T > cosine).mean()))
        return float(np.mean(shares))


def _without_tail(rows: Floats, person: Labels) -> Crowd:
    """The two-covariance model alone.

    Args:
        rows: [photo, dimension], unit rows.
        person: int [photo], people from 0, each with a photo; some have two.
    """
    from sklearn.covariance import ledoit_wolf  # a run without strangers does not wait for it

    counts = np.bincount(person)
    several = np.flatnonzero(counts > 1)
    sums = np.zeros((counts.size, rows.shape[1]))
    np.add.at(sums, person, rows)
    means = sums / counts[:, None]
    repeated = counts[person] > 1
    # A mean of n photos takes 1/n of the deviations' variance with it.
    scale = np.sqrt(counts / np.maximum(counts - 1, 1))[person][repeated]
    within = ledoit_wolf((rows - means[person])[repeated] * scale[:, None], assume_centered=True)[0]
    # People's means spread by what lies between people and by what averaging has left of the deviations.
    values, vectors = np.linalg.eigh(np.cov(means.T) - within * float((1 / counts).mean()))
    wanted, values = max(float(values.sum()), 0), np.maximum(values, 0)
    raw = (vectors * (values * wanted / max(float(values.sum()), 1e-12))) @ vectors.T
    mean = means.mean(axis=0)
    rest, across = within + np.outer(mean, mean), _root(within)
    cosines = tuple(_cosines(rows[person == number]) for number in several)
    real = aim = _squared_cosine(rows, person, counts)
    crowd = Crowd(mean, _root(_shrunk(raw, rest, aim)), across, cosines, means - mean)
    for _ in range(_CORRECTIONS):
        # Scaling people to unit length takes some of their spread: see how much, and aim as much higher.
        drawn, strangers = draw(crowd, _DRAWN, 1, seed=0)
        aim += real - _squared_cosine(drawn.astype(np.float64), strangers, np.ones(_DRAWN, np.int64))
        crowd = replace(crowd, between=_root(_shrunk(raw, rest, aim)))
    return crowd


def _pull(crowd: Crowd, share: float, wanted: float) -> float:
    """How near strangers must be to real people for a share of their pairs to be as alike as real ones."""

    def light(pull: float) -> bool:
        drawn, strangers = draw(replace(crowd, pull=pull), _DRAWN, 1, seed=1)
        rows = drawn.astype(np.float64)
        return _exceeded(rows, strangers, [share])[0] < wanted

    return _halved(light, 0.0, _MOST_PULL)


def _halved(light: Callable[[float], bool], low: float, high: float) -> float:
    """The largest number between two at which a tail is still too light, by halving."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if light(middle) else (low, middle)
    return low


def _exceeded(rows: Floats, person: Labels, shares: list[float]) -> list[float]:
    """The cosines that these shares of all pairs of two people's photos exceed."""
    alike = (rows @ rows.T)[np.triu(person[:, None] != person, 1)]
    return [float(cosine) for cosine in np.quantile(alike, [1 - share for share in shares])]


def _deviate(share: float) -> float:
    return float(-ndtri(share))


def _cosines(rows: Floats) -> Floats:
    """The cosine of each of a person's photos to the person.

    If photos i and j have a_i and a_j, then x_i x_j is a_i a_j on average: each photo's mean cosine to the
    others, over the root of the mean of all. With few photos that may pass 1.
    """
    alike = rows @ rows.T
    others = (alike.sum(axis=1) - np.diag(alike)) / (len(rows) - 1)
    return np.asarray(np.clip(others / np.sqrt(max(float(others.mean()), _LEAST_ALIKE)), -1, 1))


def _squared_cosine(rows: Floats, person: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> float:
    """Mean squared cosine of photos of two people, each two people counting the same."""
    weight = 1 / counts[person]
    every = same = 0.0
    step = max(1, _BLOCK // len(rows))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        squared = (rows[part] @ rows.T) ** 2 * weight[part, None] * weight
        every += float(squared.sum())
        same += float(squared[person[part, None] == person].sum())
    return (every - same) / (counts.size * (counts.size - 1))


def _shrunk(between: Floats, rest: Floats, squared_cosine: float) -> Floats:
    """Shrink towards a sphere of the same trace until |between + rest|^2 is the mean squared cosine."""
    sphere = np.eye(len(between)) * np.trace(between) / len(between)
    whole, step = between + rest, sphere - between
    a, b, c = (float((x * y).sum()) for x, y in ((step, step), (whole, step), (whole, whole)))
    c -= squared_cosine
    if a == 0:
        return between
    return np.asarray(between + step * min(1.0, (-b - np.sqrt(max(b * b - a * c, 0))) / a))


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
