"""Somebody else's attack: its record is what our metrics give of its assignment."""

from __future__ import annotations

from bench.errors import UserError
from bench.submission.attacks import ForeignAttack, judge_attack
from bench.submission.checks.of_users import place
from bench.submission.contents import Contents
from bench.submission.manifest import read_model
from bench.submission.names import ATTACK
from bench.submission.report import Check

_OURS = ("environment", "cost")


def check_attacks(contents: Contents) -> Check:
    """Every field of the record of an attack, from the assignment beside it."""
    check = Check("attack", "fields of somebody else's attack")
    others = [record for record in contents.records if record.by is not None]
    if ATTACK not in contents.files:
        for record in others:
            check.compare(place(record), "assignment", "none", f"a file {ATTACK} with the assignment")
        return check
    attack = read_model(ForeignAttack, contents.files[ATTACK], str(contents.path / ATTACK))
    check.compare(ATTACK, "records", len(others), 1)
    for record in others:
        try:
            made, _ = judge_attack(attack, contents, record)
        except UserError as error:
            check.compare(place(record), "assignment", ATTACK, str(error))
            continue
        said, computed = record.model_dump(mode="json"), made.model_dump(mode="json")
        for name, value in computed.items():
            if name not in _OURS:
                check.compare(place(record), name, said[name], value)
    return check
