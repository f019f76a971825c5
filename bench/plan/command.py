"""`command:FILE.toml`: a defense that is a program in any language, run as a process of its own.

The program gets a folder of photos, a folder for its cloaks, and a manifest in JSON
(docs/add-a-defense.md#a-command-in-any-language).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import encoders
from bench.errors import PassingError, UserError, cannot_write
from bench.machine.processes import Ended, Limits, run_limited
from bench.parameters import Plain, plain
from bench.photos.decode import UnreadablePhoto, decode, encode_png
from bench.photos.pairs import content_of, paired
from bench.protocols import Encoder, Kit
from bench.store.digests import digest
from bench.store.folders import folders
from bench.store.reading import read_whole
from bench.types import Album, Budget, Face, Folders, Image, PluginCard

FORMAT = "cloakbench-command/1"
"""What the manifest says of its own form."""

_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")
"""Variables that a program gets of ours; of Python's own there is none."""

_MOST_LOG = 2**16
"""Bytes of what a program said that are kept: the last ones."""

_log = logging.getLogger("bench")


@dataclass(frozen=True)
class CommandDefense:
    """Let a program cloak photos. What it does not deliver has no cloak, whatever became of the program.

    Attributes:
        tool: The program's name.
        version: The program's version.
        program: A digest of the command, of the files that are named, and of everything else that is stated.
        limits: What the program may take.
        command: The program and its arguments, with words in braces.
        here: The folder of the file that states all this.
        named: Files of the program, below that folder.
        environment: Variables that the program gets besides.
        against: Whether the program is handed surrogates.
        keeps: The kinds of budgets that it keeps.
    """

    tool: str
    version: str
    program: str
    limits: Limits
    command: tuple[str, ...] = field(metadata={"recorded": False})
    here: Path = field(metadata={"recorded": False})
    named: tuple[str, ...] = field(metadata={"recorded": False})
    environment: tuple[tuple[str, str], ...] = field(metadata={"recorded": False})
    against: bool = field(metadata={"recorded": False})
    keeps: tuple[str, ...] = field(metadata={"recorded": False})

    @property
    def card(self) -> PluginCard:
        """What is stated about the program."""
        return PluginCard(
            summary="a program of its own",
            source=f"{self.tool} {self.version}",
            surrogates=self.against,
            bounded=bool(self.keeps),
            budgets=self.keeps,
        )

    def check(self, budget: Budget) -> None:
        """See that the program is there.

        Raises:
            UserError: It is not, or this system cannot limit it.
        """
        del budget
        if os.name != "posix":
            raise UserError("a command needs Linux or macOS: no other system can limit it.")
        program = self._filled(self.command[0], {})
        if shutil.which(program, path=os.environ.get("PATH")) is None:
            raise UserError(
                f"defense '{self.tool} {self.version}': there is no program {program!r} that can be run. "
                "Give its path: {here} stands for the folder of the TOML file."
            )

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`.

        Raises:
            PassingError: A file of the program is another one than when the run began.
            UserError: Photos cannot be handed over: the disk is full.
        """
        if program_digest(self) != self.program:
            raise PassingError(
                f"a file of '{self.tool} {self.version}' was changed during the run. Repeat the command."
            )
        where = folders()
        scratch = Path(where.home) / "scratch"
        try:
            scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as made:
                root, log = Path(made) / "work", Path(made) / "log"
                root.mkdir()
                names = _hand_over(root, albums, kit, where)
                ended = self._run(root, log)
                answer = _taken(root / "out", names, albums)
                self._keep(ended, log, answer, Path(where.home) / "logs")
        except OSError as error:
            raise cannot_write(
                error, f"photos for a command to {scratch}", instead="set BENCH_HOME"
            ) from error
        return answer

    def _run(self, root: Path, log: Path) -> Ended:
        words = {"input": root / "in", "output": root / "out", "manifest": root / "manifest.json"}
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {"TMPDIR": str(root / "tmp"), **dict(self.environment)}
        command = [self._filled(word, words) for word in self.command]
        return run_limited(command, folder=root, log=log, environment=environment, limits=self.limits)

    def _filled(self, word: str, words: Mapping[str, Path]) -> str:
        for name, path in {**words, "here": self.here}.items():
            word = word.replace(f"{{{name}}}", str(path))
        return word

    def _keep(self, ended: Ended, log: Path, answer: Sequence[Sequence[Image | None]], logs: Path) -> None:
        """Keep what the program said, and tell of photos that it did not deliver."""
        said = _end_of(log)
        logs.mkdir(parents=True, exist_ok=True)
        kept = logs / f"{self.tool}-{self.version}-{self.program[:12]}.log".replace(" ", "-")
        kept.write_bytes(said)
        photos = [photo for album in answer for photo in album]
        missing = sum(photo is None for photo in photos)
        if missing or ended.stopped or ended.status:
            last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
            _log.warning(
                "command %s delivered %d of %d photos, and %s%s (%s has what it said)",
                f"{self.tool} {self.version}",
                len(photos) - missing,
                len(photos),
                ended,
                f"; it said last: {last[0][:200]}" if last else "",
                kept,
            )


def program_digest(defense: CommandDefense) -> str:
    """A digest of everything that is stated of a program, and of the content of the files that are named.

    Raises:
        UserError: A file is missing or cannot be read.
    """
    files = [[name, _sha256(defense.here / name)] for name in defense.named]
    stated = [
        defense.tool,
        defense.version,
        list(defense.command),
        [list(pair) for pair in defense.environment],
    ]
    return digest(FORMAT, stated, files, defense.against, list(defense.keeps), plain(defense.limits))


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise UserError(
            f"no file {path}, which a command names among its files. Names are below the TOML file."
        )
    return hashlib.sha256(read_whole(path)).hexdigest()


def _hand_over(root: Path, albums: Sequence[Album], kit: Kit, where: Folders) -> list[list[str]]:
    """Write the photos and the manifest; names of the photos, album by album."""
    for folder in ("in", "out", "tmp"):
        (root / folder).mkdir()
    users: list[dict[str, Plain]] = []
    names: list[list[str]] = []
    for number, album in enumerate(albums):
        (root / "in" / f"{number:04d}").mkdir()
        names.append([f"{number:04d}/{i:04d}.png" for i in range(len(album.photos))])
        for name, photo in zip(names[-1], album.photos, strict=True):
            (root / "in" / name).write_bytes(encode_png(photo))
        rows = zip(names[-1], album.digests, album.faces, strict=True)
        users.append({"photos": [{"file": f, "digest": d, "face": _face(face)} for f, d, face in rows]})
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "budget": {"kind": kit.budget.kind, "value": plain(kit.budget.value)},
        "seed": kit.seed,
        "device": kit.device,
        "users": users,
        "surrogates": [_surrogate(encoder, where) for encoder in kit.surrogates],
    }
    (root / "manifest.json").write_text(json.dumps(manifest, indent=1), "utf-8")
    return names


def _face(face: Face | None) -> Plain:
    return None if face is None else plain({"box": face.box, "landmarks": face.landmarks})


def _surrogate(encoder: Encoder, where: Folders) -> Plain:
    card = encoder.card
    file = encoders.present(card, where)
    return {
        "name": card.name,
        "file": str(file.absolute()) if file else None,
        "sha256": card.sha256,
        "architecture": card.architecture,
        "dimensions": card.dimensions,
        "crop": plain(card.crop),
        "preprocessing": plain(card.preprocessing),
    }


def _taken(out: Path, names: Sequence[Sequence[str]], albums: Sequence[Album]) -> list[list[Image | None]]:
    """The cloaks that a program delivered: photos of the right size under the right name."""
    files = paired([name for album in names for name in album], out).files if out.is_dir() else {}
    return [
        [_cloak(files.get(name), photo.shape) for name, photo in zip(own, album.photos, strict=True)]
        for own, album in zip(names, albums, strict=True)
    ]


def _cloak(file: Path | None, shape: tuple[int, ...]) -> Image | None:
    if file is None:
        return None
    try:
        cloak = decode(content_of(file))
    except UnreadablePhoto:
        return None
    return cloak if cloak.shape == shape else None


def _end_of(log: Path) -> bytes:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _MOST_LOG))
        return file.read()
