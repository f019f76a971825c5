"""The keys of the file in `command:FILE.toml`, and how such a file becomes a defense."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bench.errors import UserError, unknown_name
from bench.machine.processes import Limits
from bench.plan.chosen import Chosen
from bench.plan.command import CommandDefense, program_digest
from bench.plan.tool_cloaks import check_stated
from bench.store.folders import expanded
from bench.store.toml_files import read_keys
from bench.types import BUDGETS

_MINIMAL = (
    'command = ["python3", "{here}/cloak.py", "{input}", "{output}"], version = "1.0", files = ["cloak.py"]'
)

Text = Annotated[str, Field(min_length=1)]


class CommandFile(BaseModel):
    """The keys of a command's file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    command: Annotated[list[Text], Field(min_length=1)]
    version: Text
    files: list[Text]
    name: Text | None = None
    surrogates: bool = False
    budgets: list[str] = ["linf"]
    environment: dict[str, str] = {}
    seconds: Annotated[float, Field(gt=0, le=10**6)] = 3600.0
    memory_mib: Annotated[int, Field(ge=1, le=10**7)] = 16384
    output_mib: Annotated[int, Field(ge=1, le=10**6)] = 4096
    processes: Annotated[int, Field(ge=1, le=10**4)] = 256


def command_defense(text: str) -> Chosen:
    """The defense that a file states.

    Args:
        text: The path of the file.

    Raises:
        UserError: The file is missing or wrong, or a file that it names is.
    """
    if not text:
        raise UserError(
            "defense 'command' needs to know which. Type command:FILE.toml; docs/add-a-defense.md."
        )
    path = expanded(Path(text))
    stated = read_keys(path, CommandFile, what="command", minimal=_MINIMAL, page="docs/add-a-defense.md")
    name = stated.name or path.stem
    check_stated(f"{path}: name", name)
    check_stated(f"{path}: version", stated.version)
    for kind in stated.budgets:
        if kind not in BUDGETS:
            raise unknown_name(f"budget in {path}:", kind, BUDGETS, command="bench list budgets")
    defense = CommandDefense(
        tool=name,
        version=stated.version,
        program="",
        limits=Limits(stated.seconds, stated.memory_mib, stated.output_mib, stated.processes),
        command=tuple(stated.command),
        here=path.absolute().parent,
        named=tuple(stated.files),
        environment=tuple(sorted(stated.environment.items())),
        against=stated.surrogates,
        keeps=tuple(stated.budgets),
    )
    return Chosen(f"{name} {stated.version}", replace(defense, program=program_digest(defense)))
