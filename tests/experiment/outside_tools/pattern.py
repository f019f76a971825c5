"""A tool of the standard library alone: one fixed pattern on every photo. `pattern.py MANIFEST IN OUT`.

It runs under `python -I -S`, where neither this project nor any package can be imported.
"""

import json
import struct
import sys
import zlib
from pathlib import Path


def pixels(data: bytes) -> tuple[int, int, list[bytearray]]:
    """Width, height and rows of an 8-bit RGB PNG file."""
    at, packed, width, height = 8, b"", 0, 0
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            if (depth, colour) != (8, 2):
                raise SystemExit("not an 8-bit RGB PNG")
        packed += body if kind == b"IDAT" else b""
        at += size + 12
    raw, rows = zlib.decompress(packed), list[bytearray]()
    above = bytearray(3 * width)
    for y in range(height):
        start = y * (3 * width + 1)
        row = bytearray(raw[start + 1 : start + 1 + 3 * width])
        for x in range(3 * width):
            left = row[x - 3] if x > 2 else 0
            corner = above[x - 3] if x > 2 else 0
            row[x] = (row[x] + guess(raw[start], left, above[x], corner)) & 255
        rows.append(row)
        above = row
    return width, height, rows


def guess(rule: int, left: int, above: int, corner: int) -> int:
    """What a PNG filter adds to a byte."""
    if rule < 4:
        return (0, left, above, (left + above) // 2)[rule]
    estimate = left + above - corner
    return min((left, above, corner), key=lambda value: abs(estimate - value))


def encoded(width: int, height: int, rows: list[bytearray]) -> bytes:
    """An 8-bit RGB PNG file."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def main(manifest: Path, source: Path, target: Path) -> None:
    """Write a cloak of each photo that the manifest names, as strong as its budget of levels allows."""
    asked = json.loads(manifest.read_text("utf-8"))
    strength = int(asked["budget"]["value"])
    for name in [photo["file"] for user in asked["users"] for photo in user["photos"]]:
        width, height, rows = pixels((source / name).read_bytes())
        for y, row in enumerate(rows):
            for x in range(3 * width):
                sign = 1 if (x // 12 + y // 4) % 2 else -1
                row[x] = min(255, max(0, row[x] + sign * strength))
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(encoded(width, height, rows))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
