"""Ranges of parameters: what is out of range is the user's mistake."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bench.errors import UserError


def check_distance(attacker: str, name: str, value: float | None, grid: Sequence[float]) -> None:
    """See that a cosine distance, or the candidates for it, make sense.

    Args:
        attacker: The attacker's name on the command line, for the message.
        name: The parameter's name.
        value: The distance; None where it is not chosen yet.
        grid: The candidates.

    Raises:
        UserError: unless the value is within 0 < value <= 2, and the candidates increase within that range.
    """
    if value is not None and not 0 < value <= 2:
        raise UserError(
            f"{attacker}: {name} {value} is not a cosine distance, 0 < {name} <= 2. Try {name}=0.5."
        )
    if not grid or any(not a < b <= 2 for a, b in pairwise((0.0, *grid))):
        raise UserError(
            f"{attacker}: grid must increase within 0 < {name} <= 2. Leave it out for the default."
        )


def check_least(attacker: str, name: str, value: int | None, least: int, example: int) -> None:
    """See that a count is large enough.

    Args:
        attacker: The attacker's name on the command line, for the message.
        name: The parameter's name.
        value: The count; None where it is not chosen yet.
        least: The smallest count that makes sense.
        example: A count that the message suggests.

    Raises:
        UserError: for a value below `least`.
    """
    if value is not None and value < least:
        raise UserError(f"{attacker}: {name} {value} is below {least}. Try {name}={example}.")
