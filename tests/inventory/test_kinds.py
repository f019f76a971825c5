"""Every kind of name can be listed, and every name has a line that says what it is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.errors import UserError
from bench.inventory.kinds import KINDS
from bench.inventory.names import listed
from bench.types import Folders


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_of_a_kind_has_a_line(kind: str, folders: Folders) -> None:
    names = dict(listed(kind, folders))
    assert names
    assert not [name for name, line in names.items() if not line.strip() or "\n" in line]


_LISTS = """
import json
from bench.inventory.kinds import KINDS
from bench.inventory.names import listed
from bench.types import Folders
print(json.dumps({kind: listed(kind, Folders(home="nowhere")) for kind in KINDS}))
"""


def test_the_lines_are_the_same_without_docstrings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_REAL_DATA", raising=False)

    def lists(*options: str) -> object:
        command = [sys.executable, *options, "-c", _LISTS]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=120).stdout)

    assert lists("-OO") == lists()


def test_a_kind_that_does_not_exist(folders: Folders) -> None:
    with pytest.raises(UserError, match=r"no kind 'defence'\. Did you mean 'defenses'\?"):
        listed("defence", folders)
