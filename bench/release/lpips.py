"""LPIPS, where the weights for it are."""

from __future__ import annotations

from bench.errors import UserError
from bench.metrics.lpips import Lpips
from bench.store import lpips_weights
from bench.store.reasons import reason
from bench.types import Folders


def lpips_measure(folders: Folders) -> Lpips | None:
    """The measure, its weights verified; None where there are none.

    Raises:
        UserError: for a file that has changed since its first use, or that does not hold what it should.
    """
    file = lpips_weights.verified(folders)
    if file is None:
        return None
    path, sha256 = file
    try:
        return Lpips(lpips_weights.read(path), sha256)
    except ValueError as error:
        raise UserError(
            f"{path} is not what LPIPS needs: {reason(error)}. docs/running.md says how it is made."
        ) from error
