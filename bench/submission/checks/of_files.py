"""What a pack says of its files, and the boards and manifests among them."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from bench.board import render, views
from bench.board.user_tables import users_of
from bench.errors import UserError
from bench.store.digests import combine
from bench.submission.checks.of_users import place
from bench.submission.contents import Contents
from bench.submission.manifest import Submission
from bench.submission.names import SUBMISSION, board
from bench.submission.report import Check

_VIEWS: Final = {"board": "cells", "leaders": "leaders", "panel": "panel"}
"""File of a board -> its view."""

_SHORT: Final = 16
"""Digits of a digest in tables."""


def check_files(contents: Contents, stated: Submission | None) -> Check:
    """The digest and the size of each file, as the pack says them."""
    check = Check("files", "files")
    if stated is None:
        check.left["a folder does not say what it holds; 'bench submit' makes packs that do"] += 1
        return check
    held = {name: content for name, content in contents.files.items() if name != SUBMISSION}
    for name in sorted({*held, *stated.files}):
        said = stated.files.get(name)
        content = held.get(name)
        check.compare(
            name,
            "sha256",
            said.sha256 if said else "not listed",
            "not there" if content is None else hashlib.sha256(content).hexdigest(),
        )
        if said and content is not None:
            check.compare(name, "size", said.size, len(content))
    check.compare(SUBMISSION, "cells", stated.cells, len(contents.records))
    check.compare(SUBMISSION, "protocol", stated.protocol, contents.records[0].protocol)
    return check


def check_cells(contents: Contents) -> Check:
    """Each cell stands there once."""
    check = Check("records", "records")
    seen: set[str] = set()
    for record in contents.records:
        check.compare(place(record), "cell", "stands there twice" if record.cell in seen else "", "")
        seen.add(record.cell)
    return check


def check_boards(contents: Contents) -> Check:
    """Boards, ranks and all: what the records and users give, byte by byte."""
    check = Check("boards", "boards")
    boards = sorted(name for name in contents.files if board(name))
    if not boards:
        return check
    records = contents.records
    try:
        users = users_of(contents.users, contents.photos, contents.path)
    except UserError as error:
        check.compare(boards[0], "users", str(error), "tables that fit each other")
        return check
    for name in boards:
        stem, _, form = name.partition(".")
        made = render.render(form, views.view(_VIEWS[stem]).table(records, users))
        said = contents.files[name].decode("utf-8", "replace")
        lines = zip_longest(said.splitlines(), made.splitlines())
        differ = next(((i, a, b) for i, (a, b) in enumerate(lines, 1) if a != b), None)
        if differ is None:
            check.compare(name, "bytes", len(said), len(made))
        else:
            check.compare(name, f"line {differ[0]}", differ[1], differ[2])
    return check


def check_manifests(contents: Contents) -> Check:
    """Users and photos of tables are those of the lists of which photo plays which part."""
    check = Check("manifest", "cells")
    if not contents.manifests:
        check.left["there is no manifest.csv"] += len(contents.records)
        return check
    try:
        lists = [dict(released(content)) for content in contents.manifests.values()]
    except ValueError as error:
        check.compare(next(iter(contents.manifests)), "lines", str(error), "part,person,sha256")
        return check
    keys = [set(listed) for listed in lists]
    for record in contents.records:
        photos = contents.photos.get(record.cell)
        if record.status != "ok" or photos is None:
            continue
        held = {(str(u), str(p)) for u, p in zip(photos["user"], photos["photo"], strict=True)}
        of_users = {user for user, _ in held}
        listed = next((listed for listed, users in zip(lists, keys, strict=True) if users == of_users), {})
        due = {(user, photo) for user, theirs in listed.items() for photo in theirs}
        stray = sorted(held ^ due)
        check.compare(place(record), "photos of users", "; ".join(map(" ".join, stray[:2])), "")
    return check


def parts_of(content: bytes) -> Iterator[tuple[str, int, str]]:
    """The lines of a manifest: part, number of the person, and digest of the photo.

    Raises:
        ValueError: It is no manifest.
    """
    rows = csv.reader(io.StringIO(content.decode("utf-8")))
    if next(rows, None) != ["part", "person", "sha256"]:
        raise ValueError("its first line is not part,person,sha256")
    for row in rows:
        if len(row) != 3 or not row[1].isascii() or not row[1].isdigit():
            raise ValueError(f"line {rows.line_num} has no part, number and digest")
        yield row[0], int(row[1][:9]), row[2]


def released(content: bytes) -> Iterator[tuple[str, set[str]]]:
    """Each user of a manifest, as tables call this user, and this user's released photos.

    Raises:
        ValueError: It is no manifest.
    """
    people: dict[int, list[str]] = {}
    for part, person, photo in parts_of(content):
        if part == "released":
            people.setdefault(person, []).append(photo)
    for photos in people.values():
        yield combine(photos)[:_SHORT], {photo[:_SHORT] for photo in photos}
