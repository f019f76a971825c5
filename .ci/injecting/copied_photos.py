"""Folders in which photos lie several times, stored or edited anew; and bursts, which are no copies."""

from __future__ import annotations

import importlib
import io
import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import PIL.Image
import PIL.ImageEnhance

from bench import registry
from bench.machine.progress import Silent
from bench.photos.distinct import opened
from bench.types import Catalogue, Folders
from injecting.injection import Injection, Outcome, draws

Photo = PIL.Image.Image
Edit = Callable[[Photo, random.Random], Photo]


def _scaled(photo: Photo, rng: random.Random) -> Photo:
    by = rng.uniform(0.4, 1.6)
    kind = rng.choice([PIL.Image.Resampling.BICUBIC, PIL.Image.Resampling.LANCZOS])
    return photo.resize((round(photo.width * by), round(photo.height * by)), kind)


def _cut(photo: Photo, rng: random.Random) -> Photo:
    left, above, right, below = (rng.uniform(0, 0.03) for _ in range(4))
    width, height = photo.size
    return photo.crop(
        (round(left * width), round(above * height), round(width * (1 - right)), round(height * (1 - below)))
    )


def _brightened(photo: Photo, rng: random.Random) -> Photo:
    return PIL.ImageEnhance.Brightness(photo).enhance(rng.uniform(0.75, 1.25))


def _contrasted(photo: Photo, rng: random.Random) -> Photo:
    return PIL.ImageEnhance.Contrast(photo).enhance(rng.uniform(0.75, 1.25))


def _bent(photo: Photo, rng: random.Random) -> Photo:
    power = rng.uniform(0.75, 1.35)
    return photo.point([round(255 * (level / 255) ** power) for level in range(256)] * 3)


def _turned(photo: Photo, rng: random.Random) -> Photo:
    return photo.transpose(rng.choice(list(PIL.Image.Transpose)))


def _straightened(photo: Photo, rng: random.Random) -> Photo:
    turned = photo.rotate(rng.uniform(-2, 2), PIL.Image.Resampling.BICUBIC)
    return turned.crop((6, 6, photo.width - 6, photo.height - 6))


def _without_colour(photo: Photo, rng: random.Random) -> Photo:
    del rng
    return photo.convert("L").convert("RGB")


EDITS: tuple[Edit, ...] = (
    _scaled,
    _cut,
    _brightened,
    _contrasted,
    _bent,
    _turned,
    _straightened,
    _without_colour,
)


def stored(photo: Photo, rng: random.Random) -> tuple[str, bytes]:
    """A file of a photo, and its ending: of any quality, with any comment."""
    out = io.BytesIO()
    comment = rng.randbytes(rng.randint(0, 20)).hex()
    ending = rng.choice(["jpg", "jpg", "jpg", "webp", "png"])
    if ending == "png":
        photo.save(out, "PNG", compress_level=rng.randint(0, 9))
    else:
        options: dict[str, Any] = {"comment": comment} if ending == "jpg" else {}
        photo.save(out, {"jpg": "JPEG"}.get(ending, "WEBP"), quality=rng.randint(45, 97), **options)
    return ending, out.getvalue()


def catalogue_of(people: dict[str, Sequence[tuple[str, bytes]]], folder: Path) -> Catalogue:
    """The catalogue of a folder, as a run sees it, made of person -> ending and content of each file."""
    root = folder / "photos"
    for person, files in people.items():
        (root / person).mkdir(parents=True)
        for i, (ending, content) in enumerate(files):
            (root / person / f"{i}.{ending}").write_bytes(content)
    _, plugin = registry.make("datasets", f"folder:{root}")
    try:
        return opened(plugin, Folders(home=str(folder / "home")), Silent()).catalogue()
    finally:
        shutil.rmtree(root)


def shot(person: int, photo: int, **changed: float) -> Photo:
    """A drawn photo; what is changed is added to the parameters that it has."""
    render = importlib.import_module("bench.datasets._synthetic.render")
    drawn = importlib.import_module("bench.datasets._synthetic.photo").photo(person, photo, 0.6)
    moved = replace(drawn, **{name: getattr(drawn, name) + by for name, by in changed.items()})
    with patch.object(render, "photo", lambda *_: moved):
        pixels, _ = render.render([person], [photo])
    return PIL.Image.fromarray(pixels[0], "RGB")


def copy(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Put a photo of each of two people into a folder, beside copies of it, each edited up to twice."""
    counts: Counter[Outcome] = Counter()
    for rng in draws(times, seed):
        people: dict[str, Sequence[tuple[str, bytes]]] = {}
        edited: list[str] = []
        for person in ("Ann", "Bob"):
            original = shot(rng.randrange(10**6), rng.randrange(20))
            files = [stored(original, rng)]
            for _ in range(2):
                photo = original
                for edit in rng.sample(EDITS, rng.randint(0, 2)):
                    photo = edit(photo, rng)
                    edited.append(edit.__name__.strip("_").replace("_", " "))
                files.append(stored(photo, rng))
            people[person] = files
        used = Counter(catalogue_of(people, folder).identities)
        right = used == {"Ann": 1, "Bob": 1}
        says = "each photo counts once" if right else f"copies count: {', '.join(sorted(set(edited)))}"
        counts[Outcome(says, right)] += 1
    return counts


def burst(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Draw a person twice in the same light and place: the head turns by 5 degrees or more."""
    counts: Counter[Outcome] = Counter()
    for rng in draws(times, seed):
        who, which = rng.randrange(10**6), rng.randrange(20)
        turn = rng.uniform(0.09, 0.2) * rng.choice([-1, 1])
        photos = [shot(who, which), shot(who, which, yaw=turn, pitch=rng.uniform(-0.1, 0.1))]
        used = catalogue_of({"Ann": [stored(photo, rng) for photo in photos]}, folder).photos
        right = len(used) == 2
        counts[Outcome("both photos count" if right else "one counts as a copy", right)] += 1
    return counts


INJECTIONS = (
    Injection(
        name="copied-photos",
        injected="A folder holds a photo of each of two people, and two copies of each: of another format or "
        "quality, with another comment, and scaled, cut, turned, mirrored or toned anew, up to two of these.",
        right="Each photo counts once, and the copies are left out.",
        times=600,
        inject=copy,
    ),
    Injection(
        name="bursts",
        injected="A folder holds two photos of a person in the same light and place; the head has turned.",
        right="Both photos count.",
        times=300,
        inject=burst,
    ),
)
