"""What decides what the detector finds, written down where nothing slow is loaded."""

from __future__ import annotations

from typing import Literal

Policy = Literal["central", "largest"]

DIGESTS = {
    "pnet": "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f",
    "rnet": "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86",
    "onet": "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
}
"""sha256 of the package's .pt files."""

THRESHOLDS = (0.6, 0.7, 0.7)
FACTOR = 0.709
"""From one level of the pyramid to the next."""


def parameters(policy: Policy = "central", min_face: int = 40, min_share: float = 0.04) -> dict[str, object]:
    """What decides a result but for the device, without loading a network; see `Detector`."""
    return {
        "name": "mtcnn",
        "weights": dict(DIGESTS),
        "thresholds": list(THRESHOLDS),
        "factor": FACTOR,
        "policy": policy,
        "min_face": min_face,
        "min_share": min_share,
    }
