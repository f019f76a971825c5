"""Packages that an attacker stands on and that not every installation has."""

from __future__ import annotations

from importlib.util import find_spec

from bench.errors import UserError


def check_package(attacker: str, package: str, extra: str) -> None:
    """See that a package is installed; it is not imported.

    Args:
        attacker: The attacker's name, for the message.
        package: The name that the package is imported by.
        extra: The extra of this project that brings it.

    Raises:
        UserError: if it is not.
    """
    if find_spec(package) is None:
        raise UserError(
            f"{attacker} needs the package {package}, which is not installed. "
            f"Type: pip install 'cloakbench[{extra}]'"
        )
