"""Draw photos of invented people: parameters in, pixels and true landmarks out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ._faces_backdrop import background, clothes, ears, neck
from ._faces_camera import develop, expose
from ._faces_features import paint_eye, paint_glasses, paint_mouth
from ._faces_hair import behind, hair, on_head, over_shoulders
from ._faces_head import SIDE, landmarks, mouth, outline, screen, shading, surface
from ._faces_identity import identity
from ._faces_photo import photo
from ._faces_planes import Stack, Window, paint, stack
from ._faces_skin import beard, paint_freckles, skin

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]

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
    is drawn by itself, and `batch` says how many an accelerator draws at once. Noise and JPEG are added on
    the CPU in either case.

    Args:
        identities: n identity numbers.
        photos: n photo numbers, any number for anyone.
        hardness: spread of pose, light, blur and noise; 0.6 is the benchmark's.
        device: where to draw.
        batch: photos drawn at once on a device other than the CPU.

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
    with ThreadPoolExecutor(2) as pool, torch.no_grad():
        developed: list[Future[Pixels]] = []
        for start in range(0, len(photos), batch):
            who, which = identities[start : start + batch], photos[start : start + batch]
            shots = [photo(i, j, hardness) for i, j in zip(who, which, strict=True)]
            person, shot = stack([identity(i) for i in who], device), stack(shots, device)
            marks = landmarks(person, shot)
            points[start : start + batch] = marks.cpu().numpy()
            for first in range(0, len(who), at_once):
                count = min(at_once, len(who) - first)
                drawn = draw(person.only(first, count), shot.only(first, count), marks[first : first + count])
                for k, image in enumerate(drawn.cpu().numpy(), first):
                    developed.append(pool.submit(develop, image, who[k], which[k], shots[k]))
        for at, done in enumerate(developed):
            pixels[at] = done.result()
    return pixels, points


def draw(person: Stack, shot: Stack, points: Tensor) -> Tensor:
    """Draw n photos as the lens sees them, before noise and JPEG.

    Args:
        person: n people.
        shot: their n photos.
        points: their landmarks in pixels [n, 5, 2]: where to look for the small features.

    Returns:
        float32 [n, 160, 160, 3] in [0, 1].
    """
    count, device = len(shot.yaw), str(shot.yaw.device)
    screen_x, screen_y = screen(count, device)
    seen, lips, points = (
        surface(person, shot, screen_x, screen_y),
        mouth(person, shot),
        landmarks(person, shot),
    )
    head, look = outline(person, seen), hair(person, shot, seen)

    face = skin(person, shot, seen, lips)
    if bool((person.freckle_dark > 0).any()):
        window = Window.around(points[:, 2], *_FRECKLE_WINDOW, SIDE)
        window.paste(face, paint_freckles(window.picture(face), person, seen.cut(window)))
    face = beard(face, person, shot, seen, lips)
    window = Window.around((points[:, 3] + points[:, 4]) / 2, *_MOUTH_WINDOW, SIDE)
    window.paste(face, paint_mouth(window.picture(face), person, shot, seen.cut(window), lips))
    for side, centre in ((-1, points[:, 0]), (1, points[:, 1])):
        # the brow is above the eye: look a little higher
        raised = centre - centre.new_tensor((0.0, 8.0))
        window = Window.around(raised, *_EYE_WINDOW, SIDE)
        window.paste(face, paint_eye(window.picture(face), person, shot, seen.cut(window), side))
    face = paint_glasses(face, person, shot, seen)
    diffuse, gloss = shading(person, shot, seen)
    face = face * shot.light * diffuse.unsqueeze(1) + gloss.unsqueeze(1)

    picture = behind(background(shot, screen_x, screen_y), look, seen)
    picture = clothes(neck(picture, person, shot, seen), shot, seen)
    picture = ears(over_shoulders(picture, person, look, seen), person, shot, seen)
    picture = on_head(paint(picture, face, head), person, shot, look, seen, head)
    return expose(picture, shot).permute(0, 2, 3, 1)
