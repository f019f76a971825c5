"""`python -m bench.training.evaluate NAME...`: measure shipped encoders anew, for their cards."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.encoders.families.synth import FOLDER, cards, load
from bench.faces.detect import Detector
from bench.training.card import reference_crop, write_card
from bench.training.figures import PHOTOS_EACH, Seen, figures
from bench.training.photos import Order, Photos, draw, population, renderer_revision

_MEASURED = ("validation_identities", "test_identities", "measured", "reference_embedding")
log = logging.getLogger("bench.training.evaluate")


def detected(photos: Photos) -> Seen:
    """Photos with the faces that the benchmark's detector finds on them."""
    faces = Detector().detect(list(photos.pixels))
    landmarks = np.zeros((len(faces), 5, 2), np.float32)
    for at, face in enumerate(faces):
        if face is not None:
            landmarks[at] = face.landmarks
    return Seen(photos, landmarks, np.array([face is not None for face in faces]))


def main(arguments: list[str] | None = None) -> int:
    """Measure encoders on the CPU with the benchmark's detector, and rewrite `measured` on their cards."""
    parser = argparse.ArgumentParser("python -m bench.training.evaluate", description=__doc__)
    parser.add_argument("names", nargs="*", help="encoders; all built-in ones when there is no name")
    parser.add_argument("--people", type=int, default=100, help="of validation, and as many of test")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, force=True)
    with tempfile.TemporaryDirectory() as folder:
        validation, test = (
            detected(draw(Order(population(purpose)[0], options.people, PHOTOS_EACH), Path(folder) / purpose))
            for purpose in ("validation", "test")
        )
        log.info("drew and detected %d + %d photos", len(validation.detected), len(test.detected))
        for name in options.names or [card.name for card in cards()]:
            encoder = load(name)
            measured = figures(encoder.embed, validation, test)
            path = FOLDER / f"{name}.json"
            stored = json.loads(path.read_text(encoding="utf-8"))
            training = stored.pop("training")
            card = {
                **{key: value for key, value in stored.items() if key not in _MEASURED},
                "validation_identities": list(validation.photos.identities),
                "test_identities": list(test.photos.identities),
                "measured": {
                    **measured,
                    "people": options.people,
                    "photos_each": PHOTOS_EACH,
                    "hardness": test.photos.hardness[0],
                    "alignment": "MTCNN",
                    "renderer": renderer_revision(),
                    "command": f"python -m bench.training.evaluate --people {options.people}",
                },
                "training": training,
                "reference_embedding": encoder.embed(reference_crop())[0].tolist(),
            }
            write_card(path, card)
            log.info("%s %s", name, {key: value and round(value, 4) for key, value in measured.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
