"""The tables of docs/reliability.md, made of the committed counts."""

from __future__ import annotations

from performance_tables import table

from injecting import counts
from injecting.inputs import record


def printed(name: str) -> str:
    """One table, as Markdown."""
    return TABLES[name]()


def injections() -> str:
    """A row an injection."""
    rows = [
        [
            f"`{name}`",
            held["injected"],
            held["right"],
            f"{held['times']:,}",
            "; ".join(
                f"{'' if outcome['right'] else '**wrong:** '}{outcome['says']}: {outcome['count']:,}"
                for outcome in held["outcomes"]
            ),
        ]
        for name, held in counts.read().items()
    ]
    return table(("name", "what is injected", "what is right", "times", "what happened"), rows)


def inputs() -> str:
    """A row an input: what the earlier commit made of it, and what this one makes of it."""
    before, after = (record.read(when)["inputs"] for when in ("before", "after"))
    rows = [
        [
            row["row"],
            row["given"],
            row["right_is"],
            *(
                f"{'' if each[name]['right'] else '**wrong:** '}{each[name]['says']}"
                if name in each
                else "cannot be built here"
                for each in (before, after)
            ),
        ]
        for name, row in after.items()
    ]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return table(("row", "input", "what is right", "before", "after"), cells)


TABLES = {"inputs": inputs, "injections": injections}
