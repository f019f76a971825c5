"""What cells of a run share, so that it is done for the first of them alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench import channels, encoders
from bench.parameters import Plain
from bench.plan.cells import Cell
from bench.plan.nouns import Cloaking, View
from bench.plan.split import Split
from bench.recognition.attacker_view import learns_from_cloaks
from bench.store.digests import digest


@dataclass
class Shared:
    """Things that were met."""

    _met: set[str] = field(default_factory=set)

    def meet(self, *what: Plain) -> bool:
        """Whether a thing was met before; from now on it was."""
        name = digest(*what)
        before = name in self._met
        self._met.add(name)
        return before


def cloaking_key(cloaking: Cloaking) -> Plain:
    """What decides how a photo is cloaked."""
    surrogates = [encoders.identity(card) for card in cloaking.surrogates]
    options: dict[str, Plain] = dict(cloaking.options)
    return [cloaking.defense.described(), surrogates, str(cloaking.budget), cloaking.seed, options]


def view_key(cell: Cell) -> Plain:
    """What decides what the attacker of a cell sees of a photo."""
    view = cell.view
    identities: list[Plain] = [encoders.identity(card) for card in (view.encoder, *view.members)]
    options: dict[str, Plain] = dict(view.options)
    key: list[Plain] = [identities, view.adaptation.described(), view.detector, view.precision, options]
    key += [str(channels.purifier(view.channel)), cell.repetition]
    if learns_from_cloaks(view):
        key += [cloaking_key(cell.cloaking), str(channels.platform(view.channel))]
    return digest(*key)


def tuning_key(cell: Cell) -> Plain:
    """What decides how the attacker of a cell is tuned."""
    attack = cell.attack
    options: dict[str, Plain] = dict(attack.options)
    key: list[Plain] = [attack.attacker.described(), attack.level, options, view_key(cell)]
    if attack.level != "oblivious":
        key += [cloaking_key(cell.cloaking), str(channels.platform(cell.view.channel))]
    return digest(*key)


def collection_size(cell: Cell, split: Split, photos_of_a_stranger: int) -> int:
    """How many photos an attacker looks through: released ones, clean ones, and strangers."""
    known = sum(map(len, (*split.released, *split.labelled, *split.background)))
    return known + photos_of_a_stranger * cell.attack.distractors


def looking_together(cells: Iterable[Cell]) -> dict[str, tuple[str, ...]]:
    """Name of a detector -> the encoders that look together at a photo in which it found the face."""
    together: dict[str, dict[str, None]] = defaultdict(dict)
    for view in (cell.view for cell in cells):
        together[view.detector_name] |= dict.fromkeys(names(view))
    return {detector: tuple(encoders) for detector, encoders in together.items()}


def names(view: View) -> tuple[str, ...]:
    """The encoders that a view looks through."""
    return tuple(card.name for card in view.members)
