"""Who is cloaked, and what the attacker holds: the scenarios of the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PROTOCOL = "cloakbench/2"
"""What the numbers of a cell mean, and by which rules it is run. It is in the digest of every cell."""

Role = Literal["clusterer", "identifier"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario.

    Attributes:
        about: One line for `bench list`.
        clean: Whether users have clean photos besides the released ones: the attacker's labelled ones, or the
            probes of `poisoning`.
        poisoned: Whether the released photos are what the attacker learns people from, and the clean
            ones are the probes; otherwise it is the other way round.
        roles: The kinds of attacker that fit.
    """

    about: str
    clean: bool
    poisoned: bool
    roles: tuple[Role, ...]


SCENARIOS = {
    "introduced": Scenario(
        "all photos of a user are cloaked; the attacker has none that are not", False, False, ("clusterer",)
    ),
    "linked": Scenario(
        "the attacker also holds some clean, labelled photos of each user",
        True,
        False,
        ("clusterer", "identifier"),
    ),
    "evasion": Scenario(
        "cloaked photos are searched for in clean, labelled ones", True, False, ("identifier",)
    ),
    "poisoning": Scenario(
        "the attacker learns users from cloaked, labelled photos and meets clean ones",
        True,
        True,
        ("identifier",),
    ),
}
CLEAN = tuple(name for name, scenario in SCENARIOS.items() if scenario.clean)
"""The scenarios in which users have clean photos besides the released ones."""


LEVELS = {
    "oblivious": "tuned on clean photos of calibration people, as if nobody were cloaked",
    "adaptive": "tuned on calibration people whom the attacker cloaked with the defense, in a clean crowd",
    "oracle": "the best thresholds in hindsight, on the protected photos: an upper bound, never ranked",
}
"""What an attacker's thresholds are tuned on."""

CLOAK_DETECTORS = {
    "none": "nothing: no photo is judged",
    "residuals": "a linear classifier of the smallest details, trained on the attacker's own cloaks",
    "residuals:use=purify": "the same, and no other photo goes through the channel's purifier",
    "residuals:use=drop": "the same, and what it takes for cloaked is left out",
}
"""By what an attacker tells cloaked photos from clean ones, and what it does with them (design/019)."""

SECOND_STEPS = {
    "none": "none: the clusterer has the last word",
    "assign": "clusters with near templates merge, and photos that are left over join the nearest one",
}
"""What is done to a clustering afterwards."""


def role(attacker: object) -> Role:
    """Say whether an attacker sorts photos into people, or names them."""
    return "clusterer" if hasattr(attacker, "cluster") else "identifier"


def scenarios_of(kind: Role) -> list[str]:
    """List the scenarios that a kind of attacker fits."""
    return [name for name, scenario in SCENARIOS.items() if kind in scenario.roles]
