"""Names of everything that can be chosen, with a description each."""

from __future__ import annotations

import ast
import inspect
import textwrap

from bench import channels, encoders, registry
from bench.adaptations import ADAPTATIONS
from bench.errors import unknown_name
from bench.faces import detectors
from bench.faces.detector_model import DetectorModel
from bench.inventory.kinds import KINDS
from bench.plan import suites
from bench.plan.scenarios import LEVELS, SCENARIOS, SECOND_STEPS
from bench.types import BUDGETS, EncoderCard, Folders, PluginCard

_BUDGETS = {kind.form: kind.about for kind in BUDGETS.values()} | {"unbounded": "no limit"}
_BY_FILE = {"command:FILE.toml": "a program in any language, which the file states (docs/add-a-defense.md)"}
_CHANNELS = {row.form: row.about for row in channels.ROWS.values()}


def listed(kind: str, folders: Folders) -> list[tuple[str, str]]:
    """Names of one kind with a description each.

    Raises:
        UserError: for a kind that does not exist.
    """
    if kind == "encoders":
        cards_with_state = [
            (card.name, f"{_about(card)}; {state if state == encoders.READY else _missing(card, folders)}")
            for card, state in encoders.availability(folders)
        ]
        return [*cards_with_state, *encoders.forms().items()]
    if kind == "detectors":
        models = [detectors.lookup(name) for name in detectors.names()]
        return [(model.name, f"{model.about}; {_state(model, folders)}") for model in models]
    if kind in ("defenses", "attackers"):
        cards = ((n, registry.load(kind, n).card) for n in registry.names(kind))  # type: ignore[arg-type]  # narrowed above
        described = [
            (name, f"{card.summary} ({card.source}{_kept(card) if kind == 'defenses' else ''})")
            for name, card in cards
        ]
        return [*described, *(_BY_FILE.items() if kind == "defenses" else ())]
    if kind == "datasets":
        return [(n, _summary(registry.load("datasets", n))) for n in registry.names("datasets")]
    plain = {
        "scenarios": {name: scenario.about for name, scenario in SCENARIOS.items()},
        "levels": LEVELS,
        "second-steps": SECOND_STEPS,
        "adaptations": {name: adaptation.summary for name, adaptation in ADAPTATIONS.items()},
        "suites": suites.names(),
        "budgets": _BUDGETS,
        "channels": _CHANNELS,
    }
    if kind in plain:
        return list(plain[kind].items())
    raise unknown_name("kind", kind, KINDS, command="bench list --help")


def _about(card: EncoderCard) -> str:
    network = f"{card.architecture}; trained on {card.training_set or 'unstated data'}"
    accuracy = card.measured.get("accuracy")
    if not isinstance(accuracy, float):
        return network
    return f"{network}; verification accuracy {accuracy:.4f} on {card.measured['dataset']}"


def _state(model: DetectorModel, folders: Folders) -> str:
    return f"missing: {model.remedy(folders)}" if model.missing(folders) else encoders.READY


def _kept(card: PluginCard) -> str:
    return f"; keeps {' or '.join(BUDGETS[kind].form for kind in card.keeps) or 'no budget'}"


def _missing(card: EncoderCard, folders: Folders) -> str:
    return f"missing: {encoders.remedy(card, folders)} (from {card.source})"


def _summary(plugin: type[object]) -> str:
    """The first line of a class' docstring, off its source: under -OO a dataclass has its signature there."""
    try:
        (declared,) = ast.parse(textwrap.dedent(inspect.getsource(plugin))).body
        said = ast.get_docstring(declared) if isinstance(declared, ast.ClassDef) else None
    except (OSError, TypeError, SyntaxError):  # no source is installed
        said = None
    return next(iter((said or "").splitlines()), "no description")
