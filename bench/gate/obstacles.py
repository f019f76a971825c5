"""Why a pair of cells says nothing of a defense: the machine failed, or the two are about other things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.board.tracks import sizes
from bench.board.user_tables import Users
from bench.comparison.pairing import Pair
from bench.records.merging import disagreement
from bench.records.parsing import shown
from bench.records.record import CellRecord, Named


def obstacle(pair: Pair, before: Users, now: Users) -> str:
    """What keeps a pair from being compared; empty where nothing does.

    Args:
        pair: A cell of the baseline that is `ok`, and its counterpart.
        before: The users of the baseline.
        now: The users of the new run.
    """
    old, new = pair.first, pair.second
    if new.status != "ok":
        return f"the new cell failed: {new.error or 'it does not say why'}"
    if old.protocol != new.protocol:
        return f"the baseline is of protocol {old.protocol}, and the new cell of {new.protocol}"
    if old.publisher_detector and new.publisher_detector:
        names = old.publisher_detector.name, new.publisher_detector.name
        if names[0] != names[1]:
            return f"defenses were given the faces of {names[0]}, and now of {names[1]}"
    for what, first, second in _sources(old, new):
        if first.digest != second.digest:
            return f"{what} {shown(second.name)} is not what it was: its digest differs"
    if sizes(old) != sizes(new):
        return f"other numbers of people or photos: {sizes(old)} and now {sizes(new)}"
    if old.cell not in before or new.cell not in now:
        return "its users are not in the table"
    users = set(before[old.cell].users), set(now[new.cell].users)
    if users[0] != users[1]:
        return f"other users: {len(users[0] & users[1])} of {len(users[0])} are in both runs"
    return ""


def changes(pair: Pair) -> list[str]:
    """The parameters in which the two cells differ, such as `defense advmask: steps 20 -> 10`."""
    told = []
    for what, first, second in _parts(pair.first, pair.second):
        keys = list({**first.parameters, **second.parameters})
        differ = [key for key in keys if first.parameters.get(key) != second.parameters.get(key)]
        values = (
            f"{key} {_value(first.parameters, key)} -> {_value(second.parameters, key)}" for key in differ
        )
        if differ:
            told.append(f"{what} {second.name}: {', '.join(values)}")
    return told


def equal(pair: Pair) -> bool:
    """Whether two records say the same of everything but the machine, up to last bits."""
    old = pair.first.model_copy(update={"cell": pair.second.cell})
    return disagreement(old, pair.second) is None


def _value(parameters: Mapping[str, object], key: str) -> str:
    return shown(parameters[key]) if key in parameters else "not stated"


def _parts(old: CellRecord, new: CellRecord) -> Iterator[tuple[str, Named, Named]]:
    yield "defense", old.defense, new.defense
    yield "attacker", old.attacker, new.attacker
    yield "adaptation", old.adaptation, new.adaptation
    yield "detector", old.detector, new.detector


def _sources(old: CellRecord, new: CellRecord) -> Iterator[tuple[str, Named, Named]]:
    """What has a digest: photos and weights."""
    yield "data set", old.dataset, new.dataset
    yield "encoder", old.encoder, new.encoder
    yield from (("encoder", *both) for both in zip(old.members, new.members, strict=False))
    yield from (("surrogate", *both) for both in zip(old.surrogate, new.surrogate, strict=False))
