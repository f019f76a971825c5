"""The attackers' views of a run: cells that see alike share one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bench import channels, encoders
from bench.experiment.repetition import Repetition
from bench.plan.cells import Cell
from bench.plan.nouns import Cloaking, View
from bench.recognition.attacker_view import AttackerView, Tools, learns_from_cloaks
from bench.store.digests import digest
from bench.types import EncoderCard


class Views:
    """Makes each view once."""

    def __init__(self, cells: Sequence[Cell], tools: Tools) -> None:
        """Store; nothing is learned yet.

        Args:
            cells: All cells of the run; their encoders look together at a photo that one detector looked at.
            tools: What every view works with.
        """
        self._company: dict[str, dict[str, EncoderCard]] = defaultdict(dict)
        for view in (cell.view for cell in cells):
            self._company[view.detector_name] |= {card.name: card for card in view.members}
        self._tools = tools
        self._made: dict[str, AttackerView] = {}

    def of(self, view: View, cloaking: Cloaking, repetition: Repetition) -> AttackerView:
        """What an attacker sees; it depends on the cloaking only where the attacker learned from cloaks."""
        platform = channels.platform(view.channel)
        key = [
            [encoders.identity(card) for card in (view.encoder, *view.members)],
            view.adaptation.described(),
            view.detector,
            str(channels.purifier(view.channel)),
            repetition.number,
            cloaking.seed,
            dict(view.options),
        ]
        if learns_from_cloaks(view):
            key += [cloaking.defense.described(), id(cloaking.defense.plugin), str(cloaking.budget)]
            key += [dict(cloaking.options)]
            key += [str(platform), [encoders.identity(card) for card in cloaking.surrogates]]
        name = digest(*key)
        if name not in self._made:
            lessons = repetition.training_data(cloaking, platform)
            company = tuple(self._company[view.detector_name].values())
            self._made[name] = AttackerView(view, self._tools, lessons, company)
        return self._made[name]
