"""The detectors: each module here is one, found by its name, and says `DETECTOR = ItsModel()`.

A detector with parts is a package whose `__init__` says it. Nothing slow is imported before one is loaded.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from bench.errors import unknown_name
from bench.faces.choice import Choice
from bench.faces.detector_model import DetectorModel
from bench.parameters import Plain, plain

USUAL = "mtcnn"
"""The detector of whoever publishes photos, and of encoders whose card names no other."""


def names() -> list[str]:
    """Every name that `lookup` takes: the usual detector first, then by name."""
    return list(_models())


def lookup(name: str) -> DetectorModel:
    """A detector by name; what it needs may be missing.

    Raises:
        UserError: There is no such detector.
    """
    models = _models()
    if name not in models:
        raise unknown_name("detector", name, models, command="bench list detectors")
    return models[name]


def parameters(name: str = USUAL, choice: Choice | None = None) -> dict[str, Plain]:
    """Everything that decides a detection but the device. No network is loaded.

    Args:
        name: One of `names`.
        choice: Which faces are looked for; None stands for the usual choice.

    Raises:
        UserError: There is no such detector.
    """
    model, chosen = lookup(name), choice or Choice()
    return {
        "name": name,
        **{key: plain(value) for key, value in model.constants().items()},
        "policy": chosen.policy,
        "min_face": chosen.min_face,
        "min_share": chosen.min_share,
    }


@cache
def _models() -> dict[str, DetectorModel]:
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    models = [importlib.import_module(f"{__name__}.{name}").DETECTOR for name in modules]
    return {model.name: model for model in sorted(models, key=lambda model: model.name != USUAL)}
