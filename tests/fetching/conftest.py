"""A real HTTP server on this machine, with ranges, and with faults to switch on."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.fetching import downloads
from bench.fetching.install import Wishes
from bench.store.sources import SOURCES, Item, Source


@dataclass
class Page:
    """One address: what it serves, and what is wrong with it."""

    body: bytes
    etag: str = ""
    modified: str = ""
    ranges: bool = True
    content_type: str = "application/octet-stream"
    length: bool = True
    encoding: str = ""
    statuses: list[int] = field(default_factory=list)
    """To answer with, in turn, before all goes well."""
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the connection is closed, in turn."""
    trickle: float = 0.0
    """Seconds between pieces of 64 kB."""
    moved: str = ""
    """Where the file is instead."""


@dataclass
class Server:
    """What is served, and what was asked."""

    url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def ranges(self) -> list[str]:
        """The Range header of every request so far."""
        return [headers.get("Range", "") for _, headers in self.asked]

    def serve(self, path: str, body: bytes, **faults: Any) -> str:
        self.pages[path] = Page(body, **faults)
        return f"{self.url}{path}"


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Be quiet."""

        def do_GET(self) -> None:
            server.asked.append((self.path, dict(self.headers)))
            page = server.pages.get(self.path)
            if page is None:
                self.send_error(404)
            elif page.statuses:
                self.send_error(page.statuses.pop(0))
            elif page.moved:
                self.send_response(302)
                self.send_header("Location", page.moved)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.answer(page)

        def answer(self, page: Page) -> None:
            start, asked = 0, self.headers.get("Range", "")
            same = self.headers.get("If-Range", page.etag or page.modified) == (page.etag or page.modified)
            if page.ranges and asked and same:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(page.body):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(page.body)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(page.body) - 1}/{len(page.body)}")
            else:
                self.send_response(200)
            headers = {"ETag": page.etag, "Last-Modified": page.modified, "Content-Encoding": page.encoding}
            for name, value in {**headers, "Content-Type": page.content_type}.items():
                if value:
                    self.send_header(name, value)
            rest = page.body[start:]
            if page.length:
                self.send_header("Content-Length", str(len(rest)))
            cut = page.cuts.pop(0) if page.cuts else None
            self.close_connection = cut is not None or not page.length
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            rest = rest[:cut]
            for at in range(0, len(rest), 2**16):
                self.wfile.write(rest[at : at + 2**16])
                time.sleep(page.trickle)

    return Handler


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()
    with Quiet(("127.0.0.1", 0), handler(told)) as http:
        told.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield told
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _swift(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between tries; and a proxy that would swallow every request that went to it."""
    monkeypatch.setattr(downloads, "PAUSE", 0.001)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY", "BENCH_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def weights_file() -> bytes:
    """3 MB that begin as a file of PyTorch does and cannot be told from noise otherwise."""
    noise = np.random.Generator(np.random.Philox(3)).bytes(3_000_000)
    return b"PK\x03\x04" + noise


@pytest.fixture
def wishes() -> Wishes:
    """Agrees to everything."""
    return Wishes(consent=lambda name, source: None)


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Item]:
    """Make `toy` a name that can be fetched."""

    def known(file: str, *urls: str, **about: Any) -> Item:
        place = f"data/{Path(file).stem}" if about.get("archive") else f"weights/{file}"
        item = Item(file, place, urls, **about)
        monkeypatch.setitem(SOURCES, "toy", Source("a toy", (item,), "for playing only", "Nobody 2026"))
        return item

    return known


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(*members: tuple[tarfile.TarInfo | str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for member, content in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def make() -> Any:
    """`sha256`, `zipped`, `tarred`, for modules that cannot import this one."""

    class Make:
        digest, zip, tar = staticmethod(sha256), staticmethod(zipped), staticmethod(tarred)

    return Make
