"""`python -m bench.training`: draw one encoder's training photos, train it, store weights and card."""

from __future__ import annotations

import argparse
import logging
import math
import shlex
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn

from bench.encoders.families.synth.nets import NETS
from bench.training.card import device_name, new_card, stored_net, write_card, write_weights
from bench.training.figures import PHOTOS_EACH, figures, perturbed
from bench.training.loop import Recipe, train
from bench.training.photos import (
    TRAINING_HARDNESS,
    Order,
    draw,
    population,
    renderer_revision,
    training_population,
)

RATES = {"synth-ir": 3e-3, "synth-inc": 3e-3, "synth-vit": 1.5e-3}
log = logging.getLogger("bench.training")


def main(arguments: list[str] | None = None) -> int:
    """Train one encoder. The result is 0 when weights, card and figures are written."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format=f"%(asctime)s {options.encoder} %(message)s", level=logging.INFO, force=True)
    options.out.mkdir(parents=True, exist_ok=True)
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        card = _train(options, Path(scratch))
        weights = options.out / f"{options.encoder}.safetensors"
        log.info("wrote %s (%d bytes)", weights, weights.stat().st_size)
        if options.test_people:
            card["training"]["figures_at_end"] = _judge(options, Path(scratch))
            write_card(options.out / f"{options.encoder}.json", card)
    return 0


def _train(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    name: str = options.encoder
    began = time.monotonic()
    numbers = training_population(name)
    order = Order(numbers[0], options.identities, options.photos, TRAINING_HARDNESS)
    photos = draw(
        order,
        options.photos_in or scratch / "train",
        device=options.draw_device or options.device,
        workers=options.workers,
        minutes=options.draw_minutes,
        report=log.info,
    )
    drawn = time.monotonic() - began
    net = _new_net(name, options.seed)
    left = None if options.minutes is None else options.minutes - drawn / 60
    # the rates are for batches of 512; noise in a gradient shrinks with the root of the batch
    rate = options.rate or RATES[name] * math.sqrt(options.batch / 512)
    recipe = Recipe(options.steps, left, options.batch, rate, margin=options.margin, scale=options.scale)
    weights, path = options.out / f"{name}.safetensors", options.out / f"{name}.json"

    def keep(unfinished: nn.Module) -> None:
        write_weights(unfinished, weights)

    done = train(net, photos, recipe, seed=options.seed, device=options.device, report=log.info, keep=keep)
    log.info("trained: %s", {key: value for key, value in asdict(done).items() if key != "losses"})
    training = {
        "command": "python -m bench.training " + shlex.join(_said(options)),
        "seed": options.seed,
        "photos_each": photos.each,
        "hardness": list(photos.hardness),
        "recipe": asdict(recipe),
        "steps": done.steps,
        "samples": done.samples,
        "clock_shortened_the_schedule": done.shortened,
        "all_people_drawn": photos.identities[1] - photos.identities[0] + 1 == options.identities,
        "seconds": {"drawing": round(drawn, 1), "training": round(done.seconds, 1)},
        "device": device_name(options.device),
        "renderer": renderer_revision(),
        "torch": torch.__version__,
        "losses": [round(loss, 4) for loss in done.losses],
    }
    today = datetime.now(UTC).date().isoformat()
    card = new_card(name, net, write_weights(net, weights), photos.identities, today, training)
    write_card(path, card)
    return card


def _judge(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Figures right after training, with perturbed true landmarks. The card's come from `.evaluate`."""
    net = stored_net(options.encoder, options.out).to(options.device)

    def embed(crops: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return F.normalize(net(crops.to(options.device)), dim=1)

    seen = []
    for purpose in ("validation", "test"):
        order = Order(population(purpose)[0], options.test_people, PHOTOS_EACH)
        drawn = draw(order, scratch / purpose, device=options.draw_device or options.device)
        seen.append(perturbed(drawn, options.seed))
    measured = figures(embed, *seen)
    log.info("figures at the end: %s", {key: value and round(value, 4) for key, value in measured.items()})
    return {"alignment": "true landmarks with random errors", "people": options.test_people, **measured}


def _new_net(name: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETS[name]()


def _said(options: argparse.Namespace) -> list[str]:
    """The options that decide the outcome, as typed on a command line."""
    said = []
    for key in (
        "encoder",
        "seed",
        "identities",
        "photos",
        "steps",
        "batch",
        "minutes",
        "rate",
        "margin",
        "scale",
    ):
        value = getattr(options, key)
        if value is not None:
            said += [f"--{key}", str(value)]
    return said


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench.training", description=__doc__)
    parser.add_argument("--encoder", required=True, choices=sorted(NETS))
    parser.add_argument("--out", required=True, type=Path, help="folder for weights and card")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="where to draw and train: cpu, cuda")
    parser.add_argument("--identities", type=int, default=6000, help="people to train on")
    parser.add_argument("--photos", type=int, default=20, help="of each")
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--minutes", type=float, help="for drawing and training together, at most")
    parser.add_argument("--draw-minutes", type=float, help="for drawing, at most")
    parser.add_argument("--draw-device", help="where to draw, if elsewhere")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw")
    parser.add_argument("--test-people", type=int, default=200, help="to judge it on at the end; 0 for none")
    parser.add_argument("--rate", type=float, help="largest learning rate; else by encoder and batch")
    parser.add_argument("--margin", type=float, default=Recipe(1).margin, help="of the loss")
    parser.add_argument("--scale", type=float, default=Recipe(1).scale, help="of the loss")
    parser.add_argument("--photos-in", type=Path, help="folder to keep the training photos in, and find them")
    parser.add_argument("--scratch", type=Path, default=None, help="folder for the photos while training")
    return parser


if __name__ == "__main__":
    sys.exit(main())
