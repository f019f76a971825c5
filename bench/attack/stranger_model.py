"""Drawing people who do not exist: embeddings of a crowd of any size, distributed as those of real people.

How much harder recognition becomes among a hundred thousand strangers cannot be seen on a data set of a few
thousand. Embeddings of more strangers can be drawn, if they are as far from each other, from themselves and
from the people who are searched for, as real ones are. A person is a direction c, a photo lies at an angle to
its person, in a direction r across,

    x = a c + sqrt(1 - a^2) r,   c ~ N(mean, between) / |.|,   r ~ N(0, within) across c / |.|,

the two-covariance model of speaker and face verification (Brümmer and de Villiers 2010; Prince and Elder
2007) on the sphere. The cosines a of a drawn person are those of a real one's photos: some people, and some
photos, vary more than a Gaussian would have it. Directions across are drawn, not copied: with more photos
than real deviations, strangers who share one would look alike.

Some pairs of people are far more alike than the tail of a Gaussian has it, and those make false matches. Two
parts of the model are for them:

*Alike among each other.* A stranger is drawn near a calibration person,

    c ~ (m + p d + sqrt(1 - p^2) g) / |.|,

m the mean, d how a calibration person differs from it, g ~ N(0, between): a smoothed bootstrap (Silverman and
Young 1987). The one `pull` p makes the most alike pairs of strangers as alike as those of real people.

*Look-alikes.* No p does this for a person whom the model never saw: two strangers of one donor have the
cosine p^2, and a user has at most p times the cosine that the user has to the donor. So a stranger is
also given one person of the collection, drawn by lot, to resemble. With n people present, a person's share of
the strangers is 1 / n, and these are the 1 / n who resemble that person most: their cosines are the upper 1 /
n of the cosines q of two people,

    q(x) = b + s z(x),   z(x) the normal deviate that a share x exceeds,   x uniform in (0, 1 / n).

Then the share of strangers above a large cosine is right for everybody present, however many are drawn. The
`slope` s and the `level` b are those of real people, fitted to people who were held out of everything else
(`bench.attack.stranger_fit`). Only a share of the strangers, `resembling`, is given anybody: what the first
part's tail lacks. Pairs of strangers that are rarer than those that p is fitted to, `rare`, are made in the
same way: a stranger is given one of the strangers before it. A photo that resembles nobody present, as a
cloaked one may, meets the first part's tail alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from bench.types import Embeddings, Labels, Mask

Floats = npt.NDArray[np.float64]

MOST_PRESENT = 1000
"""At most so many people are resembled, the first ones: each has the look-alikes that one in so many is."""
_NEAREST = 0.95  # a stranger is never a copy
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
        level: b above.
        slope: s above, at least 0.
        resembling: The share of strangers who are given somebody, in [0, 1].
        rare: The share of pairs of people down to which `pull` makes strangers as alike as real people.
    """

    mean: Floats
    between: Floats
    within: Floats
    cosines: tuple[Floats, ...]
    near: Floats
    pull: float = 0.0
    level: float = 0.0
    slope: float = 0.0
    resembling: float = 0.0
    rare: float = 0.0


@dataclass(frozen=True)
class Present:
    """The people of a collection, whom strangers resemble.

    Attributes:
        directions: [person, dimension], unit rows: the mean direction of each person's photos.
        photos: int64 [person], how many photos that is the mean of.
    """

    directions: Floats
    photos: Labels

    @classmethod
    def of(cls, embeddings: npt.ArrayLike, people: npt.ArrayLike) -> Present:
        """The first `MOST_PRESENT` people of some photos, ordered by their numbers.

        Args:
            embeddings: [photo, dimension], unit rows.
            people: int [photo], who is on each.
        """
        rows, owners = np.asarray(embeddings, np.float64), np.asarray(people)
        numbers, person, photos = np.unique(owners, return_inverse=True, return_counts=True)
        first = person < MOST_PRESENT
        sums = np.zeros((min(numbers.size, MOST_PRESENT), rows.shape[1]))
        np.add.at(sums, person[first], rows[first])
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        return cls(sums / np.maximum(length, 1e-12), photos[:MOST_PRESENT].astype(np.int64))


def draw(
    crowd: Crowd, identities: int, photos: int, seed: int, present: Present | None = None
) -> tuple[Embeddings, Labels]:
    """Draw people who do not exist, `photos` of each.

    The first people are the same however many are drawn.

    Args:
        crowd: What is known about people.
        identities: How many people are drawn.
        photos: How many photos each of them has.
        seed: The seed that they are drawn by.
        present: The people whom they resemble; None for nobody.

    Returns:
        embeddings [identities x photos, dimension], unit rows, and int [identities x photos], people from 0.

    Raises:
        ValueError: for negative numbers.
    """
    if identities < 0 or photos < 0 or seed < 0:
        raise ValueError(f"identities {identities}, photos {photos} and seed {seed} must be at least 0")
    dimensions = crowd.mean.size
    rows = np.empty((identities, photos, dimensions), np.float32)
    centres = np.empty((identities, dimensions), np.float32)
    for part in _parts(identities, max(1, _BLOCK // (dimensions * max(1, photos)))):
        # A stream for each person: another count changes nobody drawn before.
        streams = [np.random.Generator(np.random.Philox(key=[seed, i])) for i in range(part.start, part.stop)]
        directions = np.stack([stream.normal(size=dimensions) for stream in streams]) @ crowd.between.T
        across = np.stack([stream.normal(size=(photos, dimensions)) for stream in streams]) @ crowd.within.T
        donors = [crowd.cosines[stream.integers(len(crowd.cosines))] for stream in streams]
        cosine = np.stack(
            [stream.choice(donor, size=photos) for stream, donor in zip(streams, donors, strict=True)]
        )
        others = crowd.near[[stream.integers(len(crowd.near)) for stream in streams]]
        directions = _unit(crowd.mean + crowd.pull * others + np.sqrt(1 - crowd.pull**2) * directions)
        if crowd.resembling and part.start:
            directions = _turned_to_strangers(crowd, directions, centres, part, streams)
        if crowd.resembling and present is not None and len(present.directions):
            directions = _turned_to_present(crowd, directions, present, streams)
        centres[part] = directions
        across -= (across @ directions[:, :, None]) * directions[:, None]
        across, cosine = _unit(across), cosine[..., None]
        rows[part] = cosine * directions[:, None] + np.sqrt(1 - cosine**2) * across
    flat = rows.reshape(identities * photos, dimensions)
    return flat, np.repeat(np.arange(identities, dtype=np.int64), photos)


def _parts(identities: int, most: int) -> Iterator[slice]:
    """Parts of the people, none of which passes a power of two: see `_turned_to_strangers`."""
    start = 0
    while start < identities:
        stop = min(start + most, identities, 1 << start.bit_length())
        yield slice(start, stop)
        start = stop


def _turned_to_strangers(
    crowd: Crowd, directions: Floats, centres: Embeddings, part: slice, streams: list[np.random.Generator]
) -> Floats:
    """Let strangers resemble one who was drawn before, among the first 2^k for the largest k."""
    before = 1 << (part.start.bit_length() - 1)
    chosen = [int(stream.integers(before)) for stream in streams]
    shares = _upper(np.arange(part.start, part.stop), streams)
    turned = _turned(directions, centres[chosen], _alike(crowd, shares))
    # what is less rare, `pull` sees to
    return np.where((_given(crowd, streams) & (shares < crowd.rare))[:, None], turned, directions)


def _turned_to_present(
    crowd: Crowd, directions: Floats, present: Present, streams: list[np.random.Generator]
) -> Floats:
    """Let strangers resemble one person present."""
    count = len(present.directions)
    chosen = [int(stream.integers(count)) for stream in streams]
    # A mean of few photos is not the person: it is as far from look-alikes as it is from the person.
    steady = float(np.mean([cosines.mean() for cosines in crowd.cosines])) ** 2
    to_mean = np.sqrt(steady / (steady + (1 - steady) / present.photos[chosen]))
    alike = _alike(crowd, _upper(np.full(len(chosen), count), streams)) * to_mean
    turned = _turned(directions, present.directions[chosen], alike)
    return np.where(_given(crowd, streams)[:, None], turned, directions)


def _given(crowd: Crowd, streams: list[np.random.Generator]) -> Mask:
    """Which strangers resemble anybody."""
    return np.array([stream.random() for stream in streams]) < crowd.resembling


def _upper(people: npt.NDArray[np.int64], streams: list[np.random.Generator]) -> Floats:
    """For each stranger x in (0, 1 / n], n given."""
    return np.asarray((1 - np.array([stream.random() for stream in streams])) / people)


def _alike(crowd: Crowd, shares: Floats) -> Floats:
    """The cosines of two people that shares of all pairs exceed, as far as people are apart."""
    return np.asarray(np.clip(crowd.level - crowd.slope * ndtri(shares), 0, _NEAREST))


def _turned(directions: Floats, towards: npt.ArrayLike, cosines: Floats) -> Floats:
    """Directions [n, dimension] turned until each has its cosine [n] to another [n, dimension]."""
    others = np.asarray(towards, np.float64)
    across = _unit(directions - (directions * others).sum(axis=1, keepdims=True) * others)
    return np.asarray(cosines[:, None] * others + np.sqrt(1 - cosines[:, None] ** 2) * across)


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12))
