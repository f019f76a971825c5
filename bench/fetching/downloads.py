"""One file over HTTP: resumed where it stopped, from the first mirror that has the right bytes.

`requests` sends the requests. pooch, which is built on it, begins every download anew and has one address a
file. This module goes on where a download stopped, and with the next mirror if need be.
"""

from __future__ import annotations

import ipaddress
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from bench import __version__
from bench.errors import UserError
from bench.fetching.contents import odd_start, page
from bench.machine.progress import Progress
from bench.store.writing import write_whole

ATTEMPTS = 3
"""The number of tries in a row without a new byte, at one address, before the next address is tried."""

LARGEST = 16 * 2**30
"""The most bytes of a file whose size is not known."""

PAUSE = 1.0
"""The seconds of waiting after a try without a new byte; they grow with each such try."""

_CHUNK = 2**18
_MEGABYTE = 10**6
_SPAN = re.compile(r"bytes (?P<first>\d+)-\d+/(?P<total>\d+|\*)")
_TIMEOUT = (10.0, 60.0)
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}


class _UnusableError(Exception):
    """This address does not work; the next one may."""


class _BrokenOffError(Exception):
    """This try ended early; another try may get further."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known about a file of which a part is here. It is kept beside the part.

    Attributes:
        url: The address of the part.
        validator: The strong ETag or the date by which the server tells whether it still has the same file.
        total: The bytes of the whole file; None where the server does not say.
    """

    url: str
    validator: str = ""
    total: int | None = None


def download(
    file: str,
    urls: Sequence[str],
    part: Path,
    *,
    check: Callable[[Path], str],
    trusted: bool,
    size: int | None,
    progress: Progress,
) -> None:
    """Get the whole file into `part`, and go on with a part that lies there.

    Args:
        file: The file's name, for messages and for the check of its first bytes.
        urls: The addresses, tried in order.
        part: The file that gathers the bytes. What is known about them lies beside it, as `PART.json`.
        check: Gives the reason why a whole file is the wrong one; empty where it is right. A wrong file is
            dropped.
        trusted: Whether `check` knows the digest. Then parts may be joined even if the server cannot tell
            whether its file has changed.
        size: The file's size in bytes, where it is known.
        progress: The receiver of progress.

    Raises:
        UserError: No address gave the right file; the message says what each of them did.
        OSError: The disk is full, or the folder cannot be written to.
    """
    reasons = []
    for url in urls:
        attempt = _Download(file, url, part, trusted, size, progress)
        try:
            resumed = attempt.complete()
            wrong = check(part)
            if wrong and resumed:  # the parts may be of two files
                drop(part)
                attempt.complete()
                wrong = check(part)
        except _UnusableError as error:
            wrong = str(error)
        else:
            if not wrong:
                return
            drop(part)
        reasons.append(f"{url}: {wrong}")
    kept = part.stat().st_size if part.exists() else 0
    again = f"The first {kept} bytes are kept: repeat the command to go on. " if kept else ""
    raise UserError(
        f"could not fetch {file} ({'; '.join(reasons) or 'it has no address'}). {again}"
        f"Or get it by hand and add --from FILE."
    )


def drop(part: Path) -> None:
    """Remove a part, and what is known about it."""
    part.unlink(missing_ok=True)
    _beside(part).unlink(missing_ok=True)


def begun(part: Path) -> Begun | None:
    """What is known about a part; None where nothing is, or where it cannot be read."""
    try:
        return Begun(**json.loads(_beside(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None  # documented above: the download starts over


@dataclass(frozen=True, slots=True)
class _Download:
    """One file from one address."""

    file: str
    url: str
    part: Path
    trusted: bool
    size: int | None
    progress: Progress

    def complete(self) -> bool:
        """Try until the file is complete. The result says whether it came from more than one answer."""
        furthest, idle, resumed = self._held(), 0, False
        while True:
            try:
                return self._attempt() or resumed
            except _BrokenOffError as error:
                held = self._held()
                idle = 0 if held > furthest else idle + 1
                furthest, resumed = max(furthest, held), resumed or held > 0
                if idle >= ATTEMPTS:
                    raise _UnusableError(str(error)) from error
                time.sleep(PAUSE * idle)

    def _held(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self) -> bool:
        """Send one request. The result says whether it went on from the bytes that were here."""
        headers = {"Accept-Encoding": "identity", "User-Agent": f"cloakbench/{__version__}"} | self._range()
        with ExitStack() as stack:
            session = stack.enter_context(requests.Session())
            session.trust_env = not _loopback(self.url)  # no proxy lies on the way to this very machine
            try:
                answer = session.get(self.url, headers=headers, stream=True, timeout=_TIMEOUT)
            except requests.exceptions.Timeout as error:
                raise _BrokenOffError("no answer in time") from error
            except requests.exceptions.SSLError as error:
                raise _UnusableError("its certificate is not trusted") from error
            except requests.exceptions.ConnectionError as error:
                raise _BrokenOffError("it cannot be reached") from error
            except (requests.RequestException, ValueError) as error:
                raise _UnusableError(" ".join(str(error).split())) from error
            stack.enter_context(answer)
            start = self._start(answer, "Range" in headers)
            if start is not None:
                self._receive(answer, start)
            return start != 0

    def _range(self) -> dict[str, str]:
        """The headers that ask for the rest, provided that it is the rest of the same file."""
        part, held = begun(self.part), self._held()
        if not held or part is None:
            return {}
        rest = {"Range": f"bytes={held}-"}
        if part.url == self.url and part.validator:
            return rest | {"If-Range": part.validator}
        return rest if self.trusted else {}

    def _start(self, answer: Any, asked_for_rest: bool) -> int | None:
        """The place in the file where the answer's body begins; None where nothing is missing any more."""
        code, held = answer.status_code, self._held()
        span = answer.headers.get("Content-Range", "")
        if code == 416 and asked_for_rest:
            if span == f"bytes */{held}":
                return None
            drop(self.part)
            raise _BrokenOffError("the file there has changed")
        if code in _TRANSIENT:
            raise _BrokenOffError(f"HTTP {code}")
        if code not in (200, 206):
            raise _UnusableError(f"HTTP {code}")
        if page(b"", answer.headers.get("Content-Type", "")):
            raise _UnusableError("it sent a web page instead")
        if code == 200:
            return 0
        part = begun(self.part)
        match = _SPAN.fullmatch(span)
        total = part.total if part else None
        if not match or int(match["first"]) != held or (total and match["total"] not in ("*", str(total))):
            drop(self.part)
            raise _BrokenOffError("the file there has changed")
        return held

    def _receive(self, answer: Any, start: int) -> None:
        """Write the body behind the bytes that are here, or in their place."""
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else self.size
        if self.trusted and self.size is not None and total != self.size:
            raise _UnusableError(f"it has {total} bytes there instead of {self.size}")
        body = _body(answer)
        first = next(body, b"")
        if start == 0:
            wrong = odd_start(self.file, first)
            if wrong and first:
                raise _UnusableError(wrong)
            # in this order: a kill in between leaves no part that is taken for one of another file
            drop(self.part)
            part = Begun(self.url, _validator(answer), total)
            write_whole(_beside(self.part), (json.dumps(asdict(part)) + "\n").encode())
        left = (total or 0) - start
        unit = f"{self.file}, MB"
        with self.part.open("ab" if start else "wb") as out, ExitStack() as stack:
            advance = stack.enter_context(self.progress.stage(unit, left // _MEGABYTE)) if left > 0 else None
            done = 0
            while first:
                out.write(first)
                before, done = done, done + len(first)
                if advance is not None:
                    advance(done // _MEGABYTE - before // _MEGABYTE)
                if start + done > (total or LARGEST):
                    drop(self.part)
                    raise _UnusableError(f"it sends more than {total or LARGEST} bytes")
                first = next(body, b"")
        if total is not None and start + done < total:
            raise _BrokenOffError(f"it ended after {start + done} of {total} bytes")


def _body(answer: Any) -> Iterator[bytes]:
    """The bytes as they are sent: a .tgz that a server calls gzip-encoded stays a .tgz."""
    answer.raw.enforce_content_length = False  # the length is compared by us, with a better line
    try:
        yield from answer.raw.stream(_CHUNK, decode_content=False)
    except (HTTPError, requests.RequestException) as error:
        raise _BrokenOffError("the connection broke") from error


def _validator(answer: Any) -> str:
    tag: str = answer.headers.get("ETag", "")
    date: str = answer.headers.get("Last-Modified", "")
    return tag if tag.startswith('"') else date


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, of another machine


def _beside(part: Path) -> Path:
    return part.with_name(part.name + ".json")
