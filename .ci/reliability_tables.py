"""The tables of docs/reliability.md, made of the committed counts."""

from __future__ import annotations

from performance_tables import table

from injecting import counts


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


TABLES = {"injections": injections}
