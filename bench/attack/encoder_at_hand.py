"""Attackers whose thresholds belong to a family of encoders, and the encoder that a cell has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bench.adaptations import methods
from bench.plan.chosen import Chosen
from bench.plan.nouns import Attack, View
from bench.types import EncoderCard, Flag, FlagCode


def behind(attack: Attack, view: View) -> Attack:
    """An attack with the attacker's thresholds for the encoder of a view, see `bench.protocols.Clusterer`."""
    plugin = attack.attacker.plugin
    if not hasattr(plugin, "behind"):
        return attack
    return replace(attack, attacker=Chosen(attack.attacker.name, plugin.behind(_card(view))))


def foreign_flags(attacker: Any, view: View) -> list[Flag]:
    """Whether an attacker's thresholds belong to another family than the encoder of a view.

    Args:
        attacker: The plug-in, as `behind` returned it or tuned.
        view: What the attacker sees.
    """
    reason = attacker.foreign(_card(view)) if hasattr(attacker, "foreign") else ""
    return [Flag(FlagCode.FOREIGN_ENCODER, reason)] if reason else []


def _card(view: View) -> EncoderCard:
    """The encoder's card; that of a network which the attacker trained further is of no family."""
    adaptation = view.adaptation
    if not isinstance(adaptation.plugin, methods.Head | methods.FineTune | methods.Adversarial):
        return view.encoder
    name = f"{view.encoder.name} after {adaptation.name}"
    return replace(view.encoder, name=name, architecture="", training_set="")
