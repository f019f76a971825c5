"""The files of a new defense: the plug-in, its test, its page, and what makes them installable."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from bench import registry
from bench.errors import UserError
from bench.store.writing import write_output

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_FILES = {
    "defense.py": "$module.py",
    "test_defense.py": "test_$module.py",
    "page.md": "README.md",
    "pyproject.toml": "pyproject.toml",
}
"""Template -> what the file is called."""


def new_defense(name: str, folder: Path) -> list[Path]:
    """Write the files of a new defense.

    Args:
        name: What it will be called on the command line.
        folder: Where the files go; made if it is not there.

    Returns:
        The files.

    Raises:
        UserError: The name is taken or is none, a file is there already, or the folder cannot be written to.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"a defense cannot be called {name!r}: a name has small letters and digits, with '-' between "
            "words. Try bench new defense my-mask --out my-mask."
        )
    if name in registry.names("defenses"):
        raise UserError(f"there is a defense {name!r} already ('bench list defenses'). Choose another name.")
    words = {
        "name": name,
        "module": name.replace("-", "_"),
        "type": "".join(part.capitalize() for part in name.split("-")),
    }
    made = {
        folder / Template(target).substitute(words): Template(_text(source)).substitute(words).encode()
        for source, target in _FILES.items()
    }
    for path in made:
        if path.exists():
            raise UserError(f"{path} is there already, and nothing was written. Choose another --out.")
    write_output(made, "the files of a defense", instead="choose another --out")
    return list(made)


def _text(template: str) -> str:
    return (files("bench.scaffold") / "templates" / f"{template}.txt").read_text("utf-8")
