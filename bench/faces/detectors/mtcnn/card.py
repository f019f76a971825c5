"""The detector's constants: everything that decides what it finds, in a module that loads nothing slow."""

from __future__ import annotations

DIGESTS = {
    "pnet": "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f",
    "rnet": "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86",
    "onet": "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
}
"""The sha256 of each of the package's .pt files."""

THRESHOLDS = (0.6, 0.7, 0.7)
FACTOR = 0.709
"""The scale between one level of the pyramid and the next."""
