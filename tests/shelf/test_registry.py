"""Names on the command line lead to plug-ins, or to one line that says what to type."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from bench import registry
from bench.errors import UserError
from bench.parameters import resolved

ROOT = Path(__file__).resolve().parents[2]
KINDS: tuple[registry.Kind, ...] = ("defenses", "attackers", "datasets")
EVERY = [(kind, name) for kind in KINDS for name in registry.names(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_a_name(kind: registry.Kind) -> None:
    files = {p.stem.replace("_", "-") for p in (ROOT / kind).glob("*.py") if not p.stem.startswith("_")}
    assert set(registry.names(kind)) == files
    assert registry.names(kind) == sorted(files)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_plugin_is_a_frozen_dataclass_that_can_be_written_down(kind: registry.Kind, name: str) -> None:
    made_name, plugin = registry.make(kind, name)
    assert made_name == name
    assert is_dataclass(plugin)
    with pytest.raises(AttributeError):
        setattr(plugin, "anything", 1)  # noqa: B010 - frozen; mypy knows that it has no such field
    told = {
        field.name
        for field in fields(plugin)
        if field.metadata.get("recorded", True) and not field.metadata.get("later")
    }
    assert set(resolved(plugin)) == told
    assert type(plugin).__doc__


def test_parameters_are_read() -> None:
    _, plugin = registry.make("attackers", "dbscan:eps=0.5,min-samples=4")
    assert (plugin.eps, plugin.min_samples) == (0.5, 4)
    assert registry.make("attackers", "dbscan:")[1] == registry.make("attackers", "dbscan")[1]


def test_a_plugin_may_take_the_whole_rest_as_one_parameter() -> None:
    # a path may hold anything that otherwise divides parameters
    for path in ("/photos/2024, summer", "C:\\photos", "a=b", "path=x", " x "):
        assert registry.make("datasets", f"folder:{path}")[1].path == path
    assert registry.make("datasets", "folder")[1].path == registry.make("datasets", "folder:")[1].path == ""


def test_where_something_lies_is_not_written_down() -> None:
    assert resolved(registry.make("datasets", "folder:/home/me")[1]) == {}
    assert resolved(registry.make("datasets", "vggface2:root=/x,part=train")[1]) == {"part": "train"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dbscn", "no attacker 'dbscn'. Did you mean 'dbscan'? 'bench list attackers' names all."),
        ("", "no attacker ''"),
        ("dbscan:eps", "has no parameter 'eps'; it has: eps, min_samples"),
        ("dbscan:size=3", "has no parameter 'size=3'"),
        ("dbscan:card=3", "has no parameter 'card=3'"),
        ("dbscan:min-samples=3.5", "min_samples='3.5'"),
        ("dbscan:eps=nan", "eps='nan'"),
    ],
)
def test_mistakes(text: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        registry.make("attackers", text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def installed(folder: Path, package: str, group: str, name: str) -> None:
    """Put a package with one entry point where Python finds it."""
    metadata = folder / f"{package}-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{name} = {package}:Plugin\n")
    (folder / f"{package}.py").write_text(
        "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Plugin:\n    strength: int = 3\n"
    )


def test_a_package_beside_this_one_adds_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "outside_defense", "cloakbench.defenses", "outside")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "outside" in registry.names("defenses")
    assert "outside" not in registry.names("attackers")
    assert registry.make("defenses", "outside:strength=7")[1].strength == 7


def test_nobody_takes_a_name_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "impostor", "cloakbench.defenses", "noise")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match=r"two plug-ins call themselves defense 'noise'.*impostor"):
        registry.names("defenses")


def test_two_outsiders_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "first_one", "cloakbench.attackers", "same")
    installed(tmp_path, "second_one", "cloakbench.attackers", "same")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match="'same'"):
        registry.load("attackers", "same")


@dataclass(frozen=True)
class Unwritable:
    value: Any = frozenset({1})


def test_a_parameter_that_cannot_be_written_down_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot be written down"):
        resolved(Unwritable())


@pytest.mark.parametrize(
    "path", ["./photos", "photos/", "../x", "/srv/photos", "~/photos", "~", "C\\photos", "."]
)
def test_a_path_in_the_place_of_a_data_set_is_told_to_be_a_folder(path: str) -> None:
    with pytest.raises(UserError) as caught:
        registry.make("datasets", path)
    said = str(caught.value)
    assert repr(path) in said
    (typed,) = re.findall(r"--dataset (.*)\.$", said)
    assert shlex.split(typed) == [f"folder:{path}"]
