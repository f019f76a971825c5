"""From the text of `--dataset` to a data set: a plug-in, or a folder's people among those of a plug-in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import registry
from bench.machine.progress import Progress
from bench.photos.distinct import opened, unused
from bench.photos.together import Together
from bench.plan.chosen import Chosen
from bench.protocols import Dataset
from bench.types import Folders

_AMONG = "+folder:"
"""Stands between a data set and the path of a folder whose people are the users."""


@dataclass(frozen=True)
class Among:
    """The people of a folder as the users, among the people of another data set: `lfw+folder:PATH`.

    Attributes:
        others: The plug-in of the other data set.
        users: The plug-in of the users' folder.
    """

    others: Any
    users: Any


def chosen_dataset(text: str) -> Chosen:
    """Read `NAME`, `NAME:field=value,…` or `NAME+folder:PATH`.

    Raises:
        UserError: The name or a parameter is unknown, or a value has the wrong type.
    """
    others, among, path = text.rpartition(_AMONG)
    if not among:
        return Chosen(*registry.make("datasets", text))
    name, plugin = registry.make("datasets", others)
    _, folder = registry.make("datasets", f"folder:{path}")
    return Chosen(f"{name}{_AMONG[:-1]}", Among(plugin, folder))


def among(others: str, folder: Path) -> str:
    """The text for the people of a folder as users, among those of another data set."""
    return f"{others}{_AMONG}{folder}"


def open_chosen(chosen: Chosen, folders: Folders, progress: Progress) -> Dataset:
    """Open a data set for a run.

    Raises:
        UserError: The data set is not here, or a photo cannot be read.
    """
    plugin = chosen.plugin
    if not isinstance(plugin, Among):
        return opened(plugin, folders, progress)
    return Together(opened(plugin.users, folders, progress), opened(plugin.others, folders, progress))


def unused_of(chosen: Chosen, folders: Folders, progress: Progress) -> dict[str, str]:
    """Name of a file or folder of a data set -> why it is not used. All photos are read once."""
    plugin = chosen.plugin
    if not isinstance(plugin, Among):
        return unused(plugin, folders, progress)
    whole = dict(open_chosen(chosen, folders, progress).catalogue().left_out)
    return unused(plugin.others, folders, progress) | unused(plugin.users, folders, progress) | whole


def drawn(name: str) -> bool:
    """Whether the data set of a name is of drawn faces, for which the built-in encoders are made."""
    return name.partition("+")[0] == "synthetic"
