"""What every attacker has: a name, and a check of its parameters."""

from __future__ import annotations


class Attacker:
    """The root of the attackers: a class that adds parameters extends `check`."""

    @property
    def name(self) -> str:
        """The attacker's name on the command line: the stem of its file, with `-` for `_`."""
        return type(self).__module__.rpartition(".")[2].replace("_", "-")

    def check(self) -> None:
        """See that the parameters make sense; the constructor only stores them.

        Raises:
            UserError: for parameters out of range.
        """
