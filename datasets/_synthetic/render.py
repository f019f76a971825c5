"""Draw photos of invented people: parameters in, pixels and true landmarks out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor

from .backdrop import background, clothes, ears, neck
from .camera import develop, expose
from .features import paint_eye, paint_glasses, paint_mouth
from .hair import behind, hair, on_head, over_shoulders
from .head import SIDE, Surface, landmarks, mouth, outline, screen, shading, surface
from .identity import identity
from .photo import photo
from .picture import Picture, Window, paint
from .planes import Stack, stack
from .skin import beard, paint_freckles, skin

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]

_WORKERS = 2
_EYE_WINDOW, _MOUTH_WINDOW, _FRECKLE_WINDOW = (64, 64), (56, 80), (72, 112)


def render(
    identities: Sequence[int],
    photos: Sequence[int],
    *,
    hardness: float = 0.6,
    device: str = "cpu",
    batch: int = 16,
) -> tuple[Pixels, Points]:
    """Draw one photo for each pair of an identity and a photo number.

    A photo's bytes depend on nothing but its identity, its number and the hardness: on the CPU every photo
    is drawn by itself, in one thread, whatever the number of torch's threads. Noise and JPEG are always added
    on the CPU.

    Args:
        identities: n identity numbers.
        photos: n photo numbers; every person has a photo of every number.
        hardness: The spread of pose, light, blur and noise; the benchmark's is 0.6.
        device: The torch device to draw on.
        batch: The number of photos that a worker takes at a time. On a device other than the CPU, the worker
            draws them at once.

    Returns:
        Photos, uint8 [n, 160, 160, 3], and the true landmarks in pixels, float32 [n, 5, 2]: left eye, right
        eye, nose tip, left and right mouth corner, left being the smaller x.

    Raises:
        ValueError: for lists of different lengths, negative numbers, or a batch below 1.
    """
    if len(identities) != len(photos) or batch < 1:
        raise ValueError(f"{len(identities)} identities, {len(photos)} photos, batch {batch}")
    pixels = np.empty((len(photos), SIDE, SIDE, 3), np.uint8)
    points = np.empty((len(photos), 5, 2), np.float32)
    at_once = 1 if torch.device(device).type == "cpu" else batch

    def some(start: int) -> None:
        who, which = identities[start : start + batch], photos[start : start + batch]
        shots = [photo(i, j, hardness) for i, j in zip(who, which, strict=True)]
        torch.get_num_threads()  # at its first use torch sets a new thread's limit: that has to come first
        with torch.no_grad(), _openmp().limit(limits=1, user_api="openmp"):
            person, shot = stack([identity(i) for i in who], device), stack(shots, device)
            marks = landmarks(person, shot)
            points[start : start + batch] = marks.cpu().numpy()
            for first in range(0, len(who), at_once):
                count = min(at_once, len(who) - first)
                drawn = draw(person.only(first, count), shot.only(first, count), marks[first : first + count])
                planes = [plane.cpu().numpy() for plane in drawn.planes]
                for k, image in enumerate(zip(*planes, strict=True), first):
                    pixels[start + k] = develop(image, who[k], which[k], shots[k])

    with ThreadPoolExecutor(_WORKERS) as pool:
        # every result is awaited: an error in a worker is raised in this thread
        list(pool.map(some, range(0, len(photos), batch)))
    return pixels, points


@cache
def _openmp() -> ThreadpoolController:
    """The controller that limits OpenMP for the calling thread alone.

    Without the limit torch hands each sine and exponential of a small plane to all its threads. While other
    work kept the processors busy, waiting for these threads took fifty times as long as drawing.
    """
    return ThreadpoolController()


def draw(person: Stack, shot: Stack, points: Tensor) -> Picture:
    """Draw n photos as the lens sees them, before noise and JPEG.

    Args:
        person: The parameters of n people.
        shot: The parameters of their n photos.
        points: The landmarks in pixels [n, 5, 2]: the small features are painted around them.

    Returns:
        Planes of [n, 160, 160] in [0, 1].
    """
    count, device = len(shot.yaw), str(shot.yaw.device)
    screen_x, screen_y = screen(count, device)
    seen, lips = surface(person, shot, screen_x, screen_y), mouth(person, shot)
    head, look = outline(person, seen), hair(person, shot, seen)

    face = skin(person, shot, seen, lips)
    if bool((person.freckle_dark > 0).any()):
        nose = Window.around(points[:, 2], *_FRECKLE_WINDOW, SIDE)
        nose.repaint(face, lambda patch: paint_freckles(patch, person, seen.cut(nose)))
    face = beard(face, person, shot, seen, lips)
    low = Window.around((points[:, 3] + points[:, 4]) / 2, *_MOUTH_WINDOW, SIDE)
    low.repaint(face, lambda patch: paint_mouth(patch, person, shot, seen.cut(low), lips))
    _paint_eyes(face, person, shot, seen, points)
    face = paint_glasses(face, person, shot, seen)
    diffuse, gloss = shading(person, shot, seen)
    face = face * shot.colour("light") * diffuse + gloss

    picture = behind(background(shot, screen_x, screen_y), look, seen)
    picture = clothes(neck(picture, person, shot, seen), shot, seen)
    picture = ears(over_shoulders(picture, person, look, seen), person, shot, seen)
    picture = on_head(paint(picture, face, head), person, shot, look, seen, head)
    return expose(picture, shot)


def _paint_eyes(face: Picture, person: Stack, shot: Stack, seen: Surface, points: Tensor) -> None:
    for side, centre in ((-1, points[:, 0]), (1, points[:, 1])):
        # the window holds the brow, too, which is above the eye
        window = Window.around(centre - centre.new_tensor((0.0, 8.0)), *_EYE_WINDOW, SIDE)
        window.repaint(face, partial(paint_eye, person=person, shot=shot, seen=seen.cut(window), side=side))
