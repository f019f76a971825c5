"""Every kind of name can be listed, and every name has a line that says what it is."""

from __future__ import annotations

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


def test_a_kind_that_does_not_exist(folders: Folders) -> None:
    with pytest.raises(UserError, match=r"no kind 'defence'\. Did you mean 'defenses'\?"):
        listed("defence", folders)
