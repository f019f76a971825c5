"""People who do not exist: embeddings of a crowd of any size, distributed as those of calibration identities.

How much harder recognition becomes among a hundred thousand strangers cannot be seen on a data set of a few
thousand. Embeddings of more strangers can be drawn, if they are as far from each other, and from themselves,
as real ones are. A person is a direction c, a photo lies at an angle to its person, in a direction r across,

    x = a c + sqrt(1 - a^2) r,   c ~ N(mean, between) / |.|,   r ~ N(0, within) across c / |.|,

the two-covariance model of speaker and face verification (Brümmer and de Villiers 2010; Prince and Elder
2007) on the sphere. The cosines a of a drawn person are those of a real one's photos: some people, and some
photos, vary more than a Gaussian would have it. Directions across are drawn, not copied: with more photos
than real deviations, strangers who share one would look alike. `within` is shrunk towards a sphere as in
Ledoit and Wolf (2004), for there are fewer photos than an honest 512 x 512 covariance needs; `between` is
shrunk just so far that the mean squared cosine of two strangers is that of real ones, which is known without
bias.

Some pairs of strangers are far more alike than the tail of a Gaussian has it, and those make false matches.
So a stranger is drawn near a real person,

    c ~ (m + p d + sqrt(1 - p^2) g) / |.|,

m the mean, d how a calibration person differs from it, g ~ N(0, between): a smoothed bootstrap (Silverman and
Young 1987). The one p makes the most alike pairs of strangers as alike as those of calibration people. Where
the Gaussian's tail is heavy enough, or photos are too few to know the tail, p is 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.covariance import ledoit_wolf

from bench.errors import UserError
from bench.store.digests import array_digest
from bench.types import Embeddings, Labels

Floats = npt.NDArray[np.float64]

_LEAST_PEOPLE = 10  # with two photos, below which they say little about anybody else
_LEAST_ALIKE = 0.01  # mean cosine of a person's photos: one of whom they do not look alike at all
_DRAWN = 1000  # strangers that are drawn to see how alike strangers are
_CORRECTIONS = 3
_PAIRS = 100_000  # of photos, below which their most alike are chance
_NEAREST = 0.98  # a stranger is never a copy
_HALVINGS = 8
_BLOCK = 2**22  # numbers drawn at once: 32 MB


@dataclass(frozen=True)
class Crowd:
    """What is known about people of an encoder.

    Attributes:
        mean: [dimension], of all people.
        between: [dimension, dimension], a square root of the covariance of people.
        within: [dimension, dimension], a square root of the covariance of deviations; only directions count.
        cosines: for each person with two photos or more, [photo], the cosine of each to that person.
        near: [person, dimension], how real people differ from the mean.
        pull: p above, in [0, 1): how near a stranger is to one of them.
    """

    mean: Floats
    between: Floats
    within: Floats
    cosines: tuple[Floats, ...]
    near: Floats
    pull: float = 0.0


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
    several = np.flatnonzero(counts > 1)
    if several.size < _LEAST_PEOPLE:
        raise UserError(
            f"distractors are drawn after at least {_LEAST_PEOPLE} calibration people with 2 photos each; "
            f"this split has {several.size}. Take fewer --users, or a data set with more people."
        )
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
    if rows.shape[0] ** 2 / 2 < _PAIRS:
        return crowd
    return replace(crowd, pull=_pull(crowd, _tail(rows, person)))


def draw(crowd: Crowd, identities: int, photos: int, seed: int) -> tuple[Embeddings, Labels]:
    """Draw people who do not exist, `photos` of each.

    The first people are the same however many are drawn.

    Returns:
        embeddings [identities x photos, dimension], unit rows, and int [identities x photos], people from 0.

    Raises:
        ValueError: for negative numbers.
    """
    if identities < 0 or photos < 0 or seed < 0:
        raise ValueError(f"identities {identities}, photos {photos} and seed {seed} must be at least 0")
    dimensions = crowd.mean.size
    rows = np.empty((identities, photos, dimensions), np.float32)
    block = max(1, _BLOCK // (dimensions * max(1, photos)))
    for start in range(0, identities, block):
        size = min(block, identities - start)
        # A stream for each person: another count changes nobody drawn before.
        draws = [np.random.Generator(np.random.Philox(key=[seed, start + i])) for i in range(size)]
        centres = np.stack([drawn.normal(size=dimensions) for drawn in draws]) @ crowd.between.T
        across = np.stack([drawn.normal(size=(photos, dimensions)) for drawn in draws]) @ crowd.within.T
        donors = [crowd.cosines[drawn.integers(len(crowd.cosines))] for drawn in draws]
        cosine = np.stack(
            [drawn.choice(donor, size=photos) for drawn, donor in zip(draws, donors, strict=True)]
        )
        others = crowd.near[[drawn.integers(len(crowd.near)) for drawn in draws]]
        centres = crowd.mean + crowd.pull * others + np.sqrt(1 - crowd.pull**2) * centres
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        across -= (across @ centres[:, :, None]) * centres[:, None]
        across /= np.linalg.norm(across, axis=2, keepdims=True)
        cosine = cosine[..., None]
        rows[start : start + size] = cosine * centres[:, None] + np.sqrt(1 - cosine**2) * across
    flat = rows.reshape(identities * photos, dimensions)
    return flat, np.repeat(np.arange(identities, dtype=np.int64), photos)


class Crowds:
    """The strangers of a run, each crowd fitted and drawn once for all attackers who meet it.

    What is held for a draw of the run goes when its calibration people look otherwise: through another
    encoder, or another platform.
    """

    def __init__(self) -> None:
        """Nobody is drawn yet."""
        self._fitted: dict[int, tuple[str, Crowd]] = {}
        self._drawn: dict[int, dict[int, tuple[Embeddings, Labels]]] = {}

    def of(
        self,
        number: int,
        calibration: tuple[Embeddings, Labels],
        identities: int,
        photos: int,
        seed: int,
    ) -> tuple[Embeddings, Labels]:
        """Fitted to calibration people and drawn, or as drawn before; not to be written on.

        Args:
            number: The number of the repetition; its photos a stranger and its seed are always the same.
            calibration: Embeddings of calibration people, and who is on each, as in `fit`.
            identities: How many strangers there are.
            photos: How many photos each has.
            seed: The seed that strangers are drawn by.
        """
        looks = array_digest(calibration[0]) + array_digest(calibration[1])
        if self._fitted.get(number, ("",))[0] != looks:
            self._fitted[number] = looks, fit(*calibration)
            self._drawn[number] = {}
        drawn = self._drawn[number]
        if identities not in drawn:
            drawn[identities] = draw(self._fitted[number][1], identities, photos, seed)
        return drawn[identities]


def _pull(crowd: Crowd, tail: Floats) -> float:
    """How near strangers must be to real people for their most alike pairs to be as alike as real ones."""
    low, high = 0.0, _NEAREST
    for _ in range(_HALVINGS):
        pull = (low + high) / 2
        drawn, strangers = draw(replace(crowd, pull=pull), _DRAWN, 1, seed=1)
        light = _tail(drawn.astype(np.float64), strangers)[1] < tail[1]
        low, high = (pull, high) if light else (low, pull)
    return low


def _tail(rows: Floats, person: npt.NDArray[np.int64]) -> Floats:
    """The cosines that one in a thousand, and one in ten thousand, pairs of two people's photos exceed."""
    alike = rows @ rows.T
    pairs = alike[np.triu(person[:, None] != person, 1)]
    return np.asarray(np.quantile(pairs, [0.999, 0.9999]))


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
