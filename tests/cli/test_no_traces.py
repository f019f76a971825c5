"""No verb but `fetch` opens a socket, and none writes outside BENCH_HOME and what it was told to write.

The kernel is the witness: what native code of a library does is seen as well.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.cli import app
from injecting import watch
from injecting.injection import CannotInjectError


@pytest.fixture(scope="module")
def guard() -> Callable[[], None]:
    """`without_internet`, where the kernel can do it."""
    try:
        return watch.guard()
    except CannotInjectError as error:
        pytest.skip(str(error))


def sockets_of(code: str, guard: Callable[[], None]) -> int:
    return subprocess.run([sys.executable, "-c", code], preexec_fn=guard, check=False).returncode


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_the_guard_sees_a_socket(guard: Callable[[], None], family: str) -> None:
    made = f"import socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)"
    assert sockets_of(made, guard) == -signal.SIGSYS
    assert (
        sockets_of(f"import threading; threading.Thread(target=lambda: exec({made!r})).start()", guard)
        == -signal.SIGSYS
    )
    assert sockets_of(
        f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {made!r}]) == -31)", guard
    )
    assert sockets_of("import socket; socket.socketpair()", guard) == 0


@dataclass(frozen=True)
class Place:
    """Where commands run: with folders of their own that must stay empty.

    Attributes:
        root: Holds everything.
        encoder: An ONNX file to embed with.
    """

    root: Path
    encoder: str

    def environment(self) -> dict[str, str]:
        own = {
            "HOME": "home",
            "XDG_CACHE_HOME": "cache",
            "XDG_CONFIG_HOME": "config",
            "XDG_DATA_HOME": "data",
        }
        own |= {"XDG_STATE_HOME": "state", "XDG_RUNTIME_DIR": "run", "TMPDIR": "tmp", "MPLHOME": "mpl"}
        places = {name: str(self.root / "empty" / folder) for name, folder in own.items()}
        kept = {
            name: os.environ[name]
            for name in ("PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX")
            if name in os.environ
        }
        return kept | places | {"BENCH_HOME": str(self.root / "bench home"), "OMP_NUM_THREADS": "1"}

    def run(self, guard: Callable[[], None], arguments: Sequence[str]) -> str:
        """Run a command; afterwards the empty folders are empty, and no socket was opened."""
        command = [sys.executable, "-m", "bench.cli", *arguments]
        done = subprocess.run(
            command,
            env=self.environment(),
            cwd=self.root / "empty" / "here",
            preexec_fn=guard,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
        assert [
            str(path) for path in sorted((self.root / "empty").rglob("*")) if path.parent.name != "empty"
        ] == []
        return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("place")
    for name in ("home", "cache", "config", "data", "state", "run", "tmp", "here", "mpl"):
        (root / "empty" / name).mkdir(parents=True)
    matrix = np.arange(1, 16, dtype=np.float32).reshape(3, 5)
    nodes = [
        helper.make_node("ReduceMean", ["photo"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "matrix"], ["embedding"]),
    ]
    photo = helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["n", 3, 112, 112])
    out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 5])
    graph = helper.make_graph(nodes, "net", [photo], [out], [numpy_helper.from_array(matrix, "matrix")])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), root / "net.onnx"
    )
    card = {"architecture": "means", "training_set": "none", "licence": "MIT", "source": "a test"}
    lines = [f"{key} = {json.dumps(value)}" for key, value in (card | {"dimensions": 5}).items()]
    (root / "net.card.toml").write_text("\n".join(lines))
    return Place(root, f"onnx:{root / 'net.onnx'}")


SMALL = ("--dataset", "synthetic:people=12,photos-each=4", "--users", "2", "--photos", "4")
RUN = (
    *("run", *SMALL, "--background", "2", "--device", "cpu", "--out", "OUT", "--preview", "OUT/preview.png"),
    *("--defense", "none", "--defense", "pgd:steps=2", "--surrogate", "synth-ir", "--channel", "jpeg:75"),
    *("--attacker", "dbscan", "--attacker", "hdbscan", "--attacker", "louvain"),
    *("--attacker", "leiden", "--attacker", "infomap", "--dose", "1", "--dose", "0.5"),
    *("--encoder", "synth-ir", "--encoder", "ENCODER"),
)
VERBS: dict[str, list[tuple[str, ...]]] = {
    "plan": [("plan", *RUN[1:])],
    "run": [RUN, (*RUN, "--engine", "processes:1", "--seed", "1", "--out", "OUT/engine")],
    "collect": [("collect", "OUT/engine")],
    "board": [
        ("board", "OUT", "--view", "panel"),
        ("board", "OUT", "--format", "md", "--out", "OUT/board.md"),
        ("board", "OUT", "--format", "html", "--out", "OUT/site"),
    ],
    "curve": [
        ("curve", "OUT", "--axis", "dose", "--out", f"OUT/curve.{kind}") for kind in ("png", "svg", "pdf")
    ],
    "figure": [
        ("figure", "frontier", "OUT", "--out", "OUT/frontier.pdf", "--data"),
        ("figure", "paper", "OUT", "--out", "OUT/figures"),
    ],
    "compare": [("compare", "none", "pgd", "--records", "OUT"), ("compare", "OUT", "OUT")],
    "gate": [
        (
            *("gate", "OUT", "--baseline", "OUT", "--max-drop", "0.25"),
            *("--junit", "OUT/gate.xml", "--summary", "OUT/gate.md", "--annotate"),
        )
    ],
    "export": [
        ("export", "OUT", "--to", form, "--out", f"OUT/exports/{form}")
        for form in ("bibtex", "croissant", "every-eval-ever", "huggingface")
    ],
    "submit": [("submit", "OUT", "--out", "OUT/mine.zip", "--by", "Ann", "--url", "https://example.org")],
    "validate": [("validate", "OUT/mine.zip", "OUT")],
    "judge": [
        ("judge", "OUT", "--cell", "CELL", "--blank", "OUT/blank.json"),
        ("judge", "OUT", "--attack", "OUT/blank.json", "--out", "OUT/theirs"),
    ],
    "manifest": [
        ("manifest", *SMALL),
        ("manifest", "--left-out"),
        ("manifest", *SMALL, "--write", "OUT/photos"),
    ],
    "score": [
        (
            *("score", "--original", "OUT/photos/users", "--cloaked", "OUT/photos/users", "--tool", "copy"),
            *("--tool-version", "1", "--dataset", "synthetic:people=12,photos-each=4", "--photos", "4"),
            *("--background", "2", "--encoder", "ENCODER", "--device", "cpu", "--out", "OUT/score"),
        )
    ],
    "verify": [
        ("verify", "synth-ir", "ENCODER", "--dataset", "synthetic:people=22,photos-each=2", "--pairs", "20"),
    ],
    "new": [("new", "defense", "my-mask", "--out", "OUT/my-mask")],
    "cache": [
        ("cache",),
        ("cache", "verify"),
        ("cache", "prune", "--unused-for", "1"),
        ("cache", "export", "--to", "OUT/store", "--records", "OUT"),
    ],
    "list": [("list",)],
    "doctor": [("doctor",)],
    "schema": [("schema",)],
}
"""Verb -> commands. They run in this order: boards need the records of a run."""


def first_cell(out: Path) -> str:
    """The digest of the first cell of a run, once there is one."""
    file = out / "records.json"
    return str(json.loads(file.read_text("utf-8"))["cells"][0]["cell"]) if file.exists() else ""


def replaced(word: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word


def test_every_verb_is_watched() -> None:
    assert {str(command.name) for command in app.registered_commands} == {*VERBS, "fetch"}


@pytest.mark.slow
def test_no_verb_opens_a_socket_or_leaves_a_file(guard: Callable[[], None], place: Place) -> None:
    out = str(place.root / "out")
    for commands in VERBS.values():
        for command in commands:
            words = {"OUT": out, "ENCODER": place.encoder, "CELL": first_cell(Path(out))}
            place.run(guard, [replaced(word, words) for word in command])
    written = {path.name for path in Path(out).iterdir()}
    assert {"records.json", "preview.png", "board.md", "curve.png", "curve.svg", "curve.pdf"} <= written


def test_a_picture_of_a_curve_needs_no_home_that_can_be_written(place: Place) -> None:
    (place.root / "file").write_text("in the way")
    records = Path(__file__).resolve().parents[2] / "results" / "draws"
    environment = place.environment() | {"BENCH_HOME": str(place.root / "file")}
    command = [sys.executable, "-m", "bench.cli", "curve", str(records), "--axis", "calibration"]
    done = subprocess.run(
        [*command, "--out", str(place.root / "curve.png")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [path for path in (place.root / "empty").rglob("*") if path.is_file()] == []


LOADED = """
import bench
from bench.torchvision_compat import ensure
ensure()
from facenet_pytorch import InceptionResnetV1
from insightface.model_zoo import ArcFaceONNX
InceptionResnetV1(pretrained=None)
import onnx2torch, sklearn.cluster, torchvision, skimage.metrics, pandas
"""


def test_the_packages_that_encoders_stand_on_ask_nobody(guard: Callable[[], None], place: Place) -> None:
    # requests, which two of them import, binds a socket of this machine to see whether there is IPv6
    assert guard is watch.without_internet
    here = place.root / "empty" / "here"
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(
        command,
        env=place.environment(),
        cwd=here,
        preexec_fn=watch.without_questions,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert [path for path in (place.root / "empty").rglob("*") if path.is_file()] == []
    for family, kind, killed in (
        ("AF_INET", "STREAM", True),
        ("AF_INET6", "DGRAM", True),
        ("AF_INET6", "STREAM", False),
    ):
        made = f"import socket; socket.socket(socket.{family}, socket.SOCK_{kind})"
        assert (sockets_of(made, watch.without_questions) == -signal.SIGSYS) == killed
