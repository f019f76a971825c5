"""Claims of the pages: a sentence with a conclusion carries the expression that it rests on.

The expressions stand beside the sentence, one a line, in a comment `<!-- claim … -->`. They are Python over
the committed records in `results/`, in the words of this module, and all of them are true:

    <!-- claim
    round(cfr(LFW, "pgd", "dbscan", Y1), 2) == 0.53
    -->

`python .ci/claims.py` prints every expression with its answer; `tests/packaging/test_claims.py` evaluates
them, sees that every figure of a sentence occurs in its claims, and that no conclusion is without one.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.board.attackers import AttackerRow, attacker_rows
from bench.board.loading import load
from bench.board.panel import PanelRow, panel_rows
from bench.records import Records, read
from bench.uncertainty.paired import holm
from bench.uncertainty.power import smallest_detectable_difference

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("docs/findings.md", "README.md")
"""The pages whose conclusions are held to the records."""

DEMO, DRAWN, PAPER, LFW = "built-in", "standard", "paper", "standard-lfw"
FIVE, CROWD, CHOSEN, CLUSTERERS = "lfw", "distractors", "chosen-lfw", "lfw-clusterers"
ATTACKS, HARDENED, ENSEMBLE = "lfw-attacks", "lfw-hardened", "lfw-ensemble"
LFW_DRAWS, CHANNELS, FURTHER, REST = "lfw-draws", "lfw-channels", "lfw-paper-1", "lfw-paper-2"
BOTH = f"{CLUSTERERS}+{ATTACKS}"
THREE = f"{BOTH}+{CHANNELS}"
ONE_BOARD = f"{BOTH}+{HARDENED}+{ENSEMBLE}+{FURTHER}+{REST}"
TOOLS, ROSTER, LAST = "tools-noise+tools-pgd", "roster", "lfw-paper-3"
ENDING, AGAIN = "lfw-paper-4", "lfw-paper-5"
WHOLE = f"{ONE_BOARD}+{LAST}+{ENDING}+{AGAIN}"
Y1, MFN, V3 = "insightface_mobilefacenet_y1", "mfn_espdl", "mobileface_v3"
CASIA, V2, DLIB = "mobilefacenet_casia_xiaoccer", "mobileface_v2", "dlib"
ALL = f"weighted:{DLIB}+{Y1}+{MFN}+{CASIA}+{V2}+{V3}"
SIX = (Y1, MFN, V3, CASIA, V2, DLIB)
IR, INC, VIT = "synth-ir", "synth-inc", "synth-vit"
ANY = "*"

USUAL = {
    "scenario": "introduced",
    "channel": "none",
    "level": "oblivious",
    "adaptation": "none",
    "dose": 1.0,
    "distractors": 0,
    "draw": 0,
    "budget": "linf:8",
    "second_step": "none",
}
"""The conditions of a cell where a claim says nothing else; `ANY` takes all of them."""

Cell = dict[str, Any]


def paths(folder: str) -> list[Path]:
    """Where the records of a folder of `results/` lie; `a+b` is two folders that are read as one."""
    return [ROOT / "results" / name for name in folder.split("+")]


@cache
def records_of(folder: str) -> Records:
    """The records of one folder of `results/`, or of several."""
    return Records(cell for path in paths(folder) for cell in read(path))


@cache
def records(folder: str) -> list[Cell]:
    """The cells of one folder of `results/`, as today's schema has them."""
    return [record.model_dump(mode="json") for record in records_of(folder)]


def cells(folder: str, **conditions: Any) -> list[Cell]:
    """The cells that meet all conditions. Oracles are left out unless the level is `oracle`.

    Args:
        folder: `DEMO` or another of the folders named above, or several joined by `+`, as `BOTH` is.
        conditions: Field -> its name or value, a tuple of several, or `ANY`. Fields that are not named are
            as `USUAL` says.
    """
    wanted = USUAL | conditions
    return [
        cell
        for cell in records(folder)
        if all(_meets(cell, field, value) for field, value in wanted.items())
        and (conditions.get("level") == "oracle" or not flagged(cell, "oracle"))
    ]


def _meets(cell: Cell, field: str, value: Any) -> bool:
    if value == ANY:
        return True
    held = cell["options"].get(field, "none") if field == "second_step" else cell[field]
    if field == "surrogate":
        held = "+".join(one["name"] for one in held)
    elif isinstance(held, dict):
        held = held["name"] + _descent(held)
    return held in value if isinstance(value, tuple) else bool(held == value)


def _descent(held: dict[str, Any]) -> str:
    """`:descent=diverse` for a defense with another descent than its usual one."""
    descent = held["parameters"].get("descent", "plain")
    return "" if descent == "plain" else f":descent={descent}"


def flagged(cell: Cell, code: str) -> bool:
    """Whether a cell has a flag of this code, such as `weak_attacker`."""
    return any(flag["code"] == code for flag in cell["flags"])


def cell(folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> Cell:
    """The one cell that meets all conditions.

    Raises:
        LookupError: None does, or several do.
    """
    wanted = {"defense": defense, "attacker": attacker, "encoder": encoder, **conditions}
    met = cells(folder, **wanted)
    if len(met) != 1:
        raise LookupError(f"{len(met)} cells of {folder} meet {wanted}")
    return met[0]


def shared(folder: str, other: str) -> list[tuple[Cell, Cell]]:
    """The cells that two folders both have, in pairs."""
    theirs = {one["cell"]: one for one in records(other)}
    return [(one, theirs[one["cell"]]) for one in records(folder) if one["cell"] in theirs]


def metric(name: str, folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> float:
    """One metric of the one cell that meets all conditions."""
    return float(cell(folder, defense, attacker, encoder, **conditions)["metrics"][name]["value"])


def cfr(folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> float:
    """The cluster-formation rate of one cell."""
    return metric("cfr", folder, defense, attacker, encoder, **conditions)


def clean(folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> float:
    """The same attacker's rate on the same users' clean photos."""
    return metric("cfr_clean", folder, defense, attacker, encoder, **conditions)


def upper(folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> float:
    """The upper end of the 95 % interval of a cell's cluster-formation rate."""
    return float(cell(folder, defense, attacker, encoder, **conditions)["metrics"]["cfr"]["high"])


def lower(folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> float:
    """The lower end of that interval."""
    return float(cell(folder, defense, attacker, encoder, **conditions)["metrics"]["cfr"]["low"])


def most(folder: str, **conditions: Any) -> float:
    """The largest cluster-formation rate of the cells that meet all conditions."""
    return max(values("cfr", folder, **conditions))


def least(folder: str, **conditions: Any) -> float:
    """The smallest cluster-formation rate of these cells."""
    return min(values("cfr", folder, **conditions))


def named(folder: str, **conditions: Any) -> float:
    """The largest share of users' cloaked photos that an identifier names: 1 - PSR@1, scenario `evasion`."""
    return 1 - min(values("psr1", folder, **({"scenario": "evasion"} | conditions)))


def learned(folder: str, **conditions: Any) -> float:
    """The largest share of clean photos named by who learned from cloaked ones: 1 - protection rate."""
    return 1 - min(values("protection_rate", folder, **({"scenario": "poisoning"} | conditions)))


def size(folder: str, part: str) -> int:
    """The number that `part` has in every cell of a folder: `users`, `photos`, `background`, `calibration`.

    Raises:
        LookupError: The cells differ in it.
    """
    counts = {one["scenario"]["parameters"][part] for one in records(folder)}
    if len(counts) != 1:
        raise LookupError(f"{folder} has cells with {sorted(counts)} {part}")
    return int(counts.pop())


def users(folder: str) -> int:
    """The number of protected users in every cell of a folder."""
    return size(folder, "users")


def values(name: str, folder: str, **conditions: Any) -> list[float]:
    """One metric of every cell that meets all conditions, in the records' order."""
    return [float(one["metrics"][name]["value"]) for one in cells(folder, **conditions)]


def encoders(met: list[Cell]) -> set[str]:
    """The encoders of some cells."""
    return {one["encoder"]["name"] for one in met}


def tuned(folder: str, attacker: str, *parameters: str, **conditions: Any) -> set[str]:
    """The different values that an attacker's tuning chose for some parameters, over cells."""
    met = cells(folder, attacker=attacker, **conditions)
    return {str([one["calibrated"][name] for name in parameters]) for one in met}


@cache
def _rows(folder: str, file: str, *columns: str) -> dict[str, Any]:
    """Cell -> its rows of `users.parquet` or `photos.parquet`; rows without a value are left out."""
    import pandas as pd

    parts = [pd.read_parquet(path / file, columns=["cell", *columns]) for path in paths(folder)]
    return {str(name): rows for name, rows in pd.concat(parts).dropna().groupby("cell")}


def formed(folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> frozenset[str]:
    """The users whose photos form a cluster in one cell."""
    one = cell(folder, defense, attacker, encoder, **conditions)["cell"]
    rows = _rows(folder, "users.parquet", "user", "formed")[one]
    return frozenset(rows["user"][rows["formed"].astype(bool)])


def released(folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> frozenset[str]:
    """The digests of the photos that were released in one cell."""
    one = cell(folder, defense, attacker, encoder, **conditions)["cell"]
    return frozenset(_rows(folder, "photos.parquet", "released")[one]["released"])


def new(folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> int:
    """How many users are clustered under these conditions, and not under the usual ones at the same level."""
    changed = formed(folder, defense, attacker, encoder, **conditions)
    return len(changed - formed(folder, defense, attacker, encoder, **_level(conditions)))


def _level(conditions: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in conditions.items() if field == "level"}


def p(folder: str, defense: str, attacker: str, encoder: str, **conditions: Any) -> float:
    """McNemar's exact p, uncorrected: these conditions against the usual ones, on the same users."""
    changed = formed(folder, defense, attacker, encoder, **conditions)
    usual = formed(folder, defense, attacker, encoder, **_level(conditions))
    rarer, differ = min(len(changed - usual), len(usual - changed)), len(changed ^ usual)
    tail: float = sum(math.comb(differ, k) for k in range(rarer + 1)) / 2**differ
    return min(1.0, 2 * tail)


def platforms(
    folder: str,
    defenses: tuple[str, ...],
    channels: tuple[str, ...],
    level: str = "oblivious",
    **conditions: Any,
) -> list[tuple[float, float]]:
    """The change of CFR and the uncorrected p, for every clusterer and encoder under some channels."""
    met = cells(folder, defense=defenses, channel=channels, level=level, **conditions)
    whose = [(one["defense"]["name"], one["attacker"]["name"], one["encoder"]["name"]) for one in met]
    return [
        (
            one["metrics"]["cfr"]["value"] - cfr(folder, *who, level=level),
            p(folder, *who, channel=one["channel"], level=level),
        )
        for one, who in zip(met, whose, strict=True)
    ]


COMMENT = re.compile(r"<!-- (claim|method)\b(.*?)-->", re.S)
_ANOTHER = re.compile(
    r"^<!-- (?!claim|method|end).*?<!-- end[^>]*-->|^```.*?^```|^<!--(?! claim| method).*?-->", re.S | re.M
)


@dataclass(frozen=True)
class Block:
    """A paragraph or an item of a list.

    Attributes:
        page: The page's path below the root.
        text: The prose, without its comments.
        claims: The expressions that it rests on.
        method: Whether it says how something is done, and concludes nothing.
    """

    page: str
    text: str
    claims: tuple[str, ...]
    method: bool


def blocks(page: str) -> Iterator[Block]:
    """Every paragraph and every item of a list; tables, headings and code are left out."""
    text = _ANOTHER.sub("", (ROOT / page).read_text("utf-8"))
    for part in re.split(r"\n\s*\n|\n(?=- )", text):
        comments = COMMENT.findall(part)
        prose = COMMENT.sub("", part).strip()
        if not prose or prose.startswith(("#", "|", "![", "<")):
            if comments:
                raise ValueError(f"{page}: a claim without a sentence: {comments[0][1].strip()[:60]}")
            continue
        lines = [line.strip() for kind, body in comments if kind == "claim" for line in body.splitlines()]
        yield Block(page, prose, tuple(filter(None, lines)), any(kind == "method" for kind, _ in comments))


def least_p(pairs: list[tuple[float, float]]) -> float:
    """The smallest p of `platforms`, after Holm's correction over all of them."""
    return float(holm([one for _, one in pairs]).min())


def detectable(people: int, correlation: float = 0.0) -> float:
    """The smallest fall from a rate of one half that one comparison of so many users mostly shows (.8)."""
    return smallest_detectable_difference(people, correlation=correlation)


@cache
def _panel_rows(folder: str) -> list[PanelRow]:
    return panel_rows(*load(paths(folder), of_users=True))


@cache
def panel(
    folder: str,
    defense: str,
    figure: str = "cfr",
    knowledge: str | None = None,
    scenario: str = "introduced",
    dose: float = 1.0,
) -> PanelRow:
    """The row of one defense in the panel of a folder: the attack that was chosen, and the strongest of all.

    Args:
        folder: One of those of `cells`.
        defense: As the panel calls it.
        figure: `cfr`, `cfr_link`, `psr1` or `protection_rate`.
        knowledge: What the defense knew of the encoder, where the panel has several rows.
        scenario: Who is cloaked, and what the attacker holds.
        dose: The share of a user's photos that are cloaked.

    Raises:
        ValueError: There is no such row, or there are several.
    """
    (row,) = (
        row
        for row in _panel_rows(folder)
        if (row.defense, row.figure, row.scenario, row.dose) == (defense, figure, scenario, dose)
        and knowledge in (None, row.knowledge)
    )
    return row


@cache
def winners(folder: str, figure: str = "cfr") -> dict[str, AttackerRow]:
    """Attacker -> how often it was the strongest in a folder, alone, and chosen."""
    return {row.attacker: row for row in attacker_rows(records_of(folder)) if row.figure == figure}


def mean(numbers: list[float]) -> float:
    """The mean of some metrics, as over draws."""
    return sum(numbers) / len(numbers)


def value(expression: str) -> Any:
    """What an expression comes to, in the words of this module."""
    return eval(expression, {**globals()})  # our own pages, as the examples that a test runs


def main() -> int:
    """Print every claim with its answer."""
    wrong = 0
    for page in PAGES:
        for block in blocks(page):
            for expression in block.claims:
                answer = value(expression)
                wrong += answer is not True
                sys.stdout.write(f"{page}: {expression}: {answer}\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
