"""The checksum that every stored value begins with, over its stage, its key and its content."""

from __future__ import annotations

import hashlib

_LENGTH = 16


def sealed(stage: str, key: str, content: bytes) -> bytes:
    """A value as it is stored."""
    return _seal(stage, key, content) + content


def opened(stage: str, key: str, value: bytes) -> bytes | None:
    """The content of a stored value; None if it is damaged or lies under another key."""
    if isinstance(value, bytes) and value[:_LENGTH] == _seal(stage, key, value[_LENGTH:]):
        return value[_LENGTH:]
    return None


def is_of_version_0_1(value: bytes) -> bool:
    """Whether version 0.1 stored a value: its checksum was of the content alone. Nothing reads it now."""
    content = value[_LENGTH:]
    return value[:_LENGTH] == hashlib.blake2b(content, digest_size=_LENGTH).digest()


def _seal(stage: str, key: str, content: bytes) -> bytes:
    """Neither a stage nor a key holds a null character."""
    seal = hashlib.blake2b(f"{stage}\0{key}\0".encode(), digest_size=_LENGTH)
    seal.update(content)
    return seal.digest()
