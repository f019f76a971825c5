"""Weights that nobody has vouched for are tried before a run, in a process of their own, once a content."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from bench import encoders
from bench.encoders.trial import check
from bench.errors import PassingError, UserError
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.store.reasons import reason
from bench.types import EncoderCard, Folders

SECONDS = 120
"""Seconds that a trial may take, of the clock."""

MEMORY = 8 << 30
"""Bytes that the process of a trial may allocate."""

_MODULE = "bench.encoders.trial"


def ready(name: str, folders: Folders) -> EncoderCard:
    """The card of an encoder whose weights are here, as `bench.encoders.ready` gives it.

    A user's own file embeds a few crops first, on the CPU. So do weights whose digest nobody states, before
    the digest is pinned: a wrong file must not become the right one by being the first. An encoder of an
    installed package is tried in this process. That it went well is kept under the digest of card and
    weights; anything else is told, and tried again the next time.

    Raises:
        UserError: as `bench.encoders.ready` does, and for weights that do not embed, not like a function of
            the crop, or not within `SECONDS` and `MEMORY`.
    """
    family, card = encoders.lookup(name)
    untried = family.untried(card, folders)
    if untried is not None:
        key = digest("trial", encoders.identity(untried), stage_code(_MODULE, *encoders.modules([untried])))
        cache = Cache(Path(folders.home))
        try:
            if not cache.rows("trial", [key]):
                if family.apart:
                    _try(name, untried, folders, family.present(card, folders))
                else:
                    check(family.load(untried, folders, "cpu"))
                cache.put_rows("trial", {key: b"it embeds"})
        finally:
            cache.close()
    made = family.ready(card, folders)
    if untried is not None and made.sha256 != untried.sha256:
        raise PassingError(f"the weights of {name} changed while they were tried. Repeat the command.")
    return made


def _try(name: str, card: EncoderCard, folders: Folders, file: Path | None) -> None:
    """Have another process try the encoder.

    Raises:
        UserError: It is refused, or the process did not come to its end.
    """
    asked = {"name": name, "sha256": card.sha256, "home": folders.home, "real_data": folders.real_data}
    limits = {"memory": MEMORY, "seconds": SECONDS}
    # the process finds what this one finds, and not the modules of the folder that it is started in
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", _MODULE],
            input=json.dumps(asked | limits).encode(),
            capture_output=True,
            env=environment,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(
            f"{file} has not embedded a few crops after {SECONDS} seconds, and may never end. If the machine "
            "was busy, repeat the command."
        ) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise UserError(f"{file} ended the process that tried it: {_end(done)}.") from None
    if "passing" in answer:
        raise PassingError(answer["passing"])
    if "refused" in answer:
        raise UserError(answer["refused"])


def _end(done: subprocess.CompletedProcess[bytes]) -> str:
    """How a process ended that gave no answer."""
    if done.returncode < 0:
        number = -done.returncode
        if number == signal.SIGXCPU:
            return f"it computed for {SECONDS} seconds"
        return f"{signal.strsignal(number) or number}; it may allocate {MEMORY >> 30} GiB"
    return reason(done.stderr.decode(errors="replace")) or f"status {done.returncode}"
