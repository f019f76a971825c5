"""Who may import whom: the promises of the architecture, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN_FOLDERS = ("defenses", "attackers", "datasets")
PLUGIN_MAY_IMPORT = {"bench.types", "bench.protocols", "bench.errors"}
METRICS_MAY_IMPORT = {"bench.types", "bench.torchvision_compat", "bench.uncertainty"}
CHANNELS_MAY_IMPORT = {
    "bench.types",
    "bench.errors",
    "bench.store.digests",
    "bench.parameters",
    "bench.machine.workers",
}
ADAPTIVE_MAY_IMPORT = {
    "bench.types",
    "bench.protocols",
    "bench.errors",
    "bench.parameters",
    "bench.machine.workers",
    "bench.encoders",
    "bench.optim",
}
HEAVY = (
    "torch",
    "torchvision",
    "sklearn",
    "scipy",
    "pandas",
    "pyarrow",
    "insightface",
    "onnxruntime",
    "cv2",
    "skimage",
)

PLUGINS = sorted(p for folder in PLUGIN_FOLDERS for p in (ROOT / folder).glob("*.py"))
BENCH = sorted((ROOT / "bench").rglob("*.py"))
METRICS = [p for p in BENCH if p.parent.name == "metrics"]
CHANNELS = [p for p in BENCH if p.parent.name == "channels"]
ADAPTIVE = [p for p in BENCH if p.parent.name == "adaptations"]
SOURCES = [*BENCH, *PLUGINS]
relative_id = pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))


def module_name(path: Path) -> str:
    """`bench/metrics/__init__.py` -> `bench.metrics`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in BENCH}


def imported(path: Path, tree: ast.AST) -> Iterator[str]:
    """Absolute name of everything a file imports, wherever in the file; `from a import b` gives `a.b`."""
    name = module_name(path)
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports(path: Path) -> set[str]:
    return set(imported(path, ast.parse(path.read_text("utf-8"))))


def within(name: str, modules: set[str]) -> bool:
    return any(name == m or name.startswith(m + ".") for m in modules)


def test_imports_are_read_in_every_form() -> None:
    source = "import a.b\nfrom .c import d\nfrom .. import e\ndef f():\n    from bench.types import g\n"
    found = set(imported(ROOT / "bench" / "metrics" / "x.py", ast.parse(source)))
    assert found == {"a.b", "bench.metrics.c.d", "bench.e", "bench.types.g"}


@pytest.mark.parametrize("path", PLUGINS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_plugin_sees_nouns_verbs_errors_and_siblings(path: Path) -> None:
    own = [n for n in imports(path) if n.split(".")[0] in {"bench", *PLUGIN_FOLDERS}]
    siblings = {f"{path.parent.name}.{p.stem}" for p in path.parent.glob("*.py")}
    assert not [n for n in own if not within(n, PLUGIN_MAY_IMPORT | siblings)]


@pytest.mark.parametrize("path", PLUGINS, ids=lambda p: str(p.relative_to(ROOT)))
def test_siblings_are_imported_relatively(path: Path) -> None:
    # an absolute `import datasets` would find another distribution on many machines
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert not [a.name for a in node.names if a.name.split(".")[0] in PLUGIN_FOLDERS]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            assert (node.module or "").split(".")[0] not in PLUGIN_FOLDERS


@pytest.mark.parametrize("path", BENCH, ids=lambda p: str(p.relative_to(ROOT)))
def test_bench_reaches_plugins_only_through_the_registry(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    prefixes = {f"bench.{folder}" for folder in PLUGIN_FOLDERS}
    assert not [n for n in imported(path, tree) if within(n, prefixes | set(PLUGIN_FOLDERS))]
    # training draws people whom no data set that a run can open has, so it asks the renderer itself
    if module_name(path) != "bench.registry" and path.parent.name != "training":
        called = {
            ast.unparse(node.args[0])
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args
        }
        assert not [c for c in called if any(folder in c for folder in PLUGIN_FOLDERS)]


@pytest.mark.parametrize("path", METRICS, ids=lambda p: str(p.relative_to(ROOT)))
def test_metrics_are_functions_of_arrays(path: Path) -> None:
    own = {n for n in imports(path) if n.split(".")[0] == "bench"}
    assert not [n for n in own if not within(n, METRICS_MAY_IMPORT | {"bench.metrics"})]


@pytest.mark.parametrize("path", CHANNELS, ids=lambda p: str(p.relative_to(ROOT)))
def test_channels_see_photos_and_nothing_else(path: Path) -> None:
    own = {n for n in imports(path) if n.split(".")[0] == "bench"}
    assert not [n for n in own if not within(n, CHANNELS_MAY_IMPORT | {"bench.channels"})]


@pytest.mark.parametrize("path", ADAPTIVE, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_an_attacker_learns_it_learns_from_arrays(path: Path) -> None:
    # the pipeline hands it photos; it cannot ask a data set, a split or a defense for more
    own = {n for n in imports(path) if n.split(".")[0] == "bench"}
    assert not [n for n in own if not within(n, ADAPTIVE_MAY_IMPORT | {"bench.adaptations"})]


@relative_id
def test_nothing_imports_what_only_a_checkout_has(path: Path) -> None:
    # both become importable in a checkout by the three lines of design/001
    assert not [n for n in imports(path) if within(n, {"bench.tests", "bench.bench", "tests"})]


@pytest.mark.parametrize("path", BENCH, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_run_imports_training(path: Path) -> None:
    if path.parent.name != "training":
        assert not [n for n in imports(path) if within(n, {"bench.training"})]


@relative_id
def test_rooms_have_names(path: Path) -> None:
    assert path.stem.strip("_") not in {"utils", "util", "helpers", "helper", "common", "misc"}


def test_no_plugin_folder_is_a_package() -> None:
    assert not [folder for folder in PLUGIN_FOLDERS if (ROOT / folder / "__init__.py").exists()]


def test_no_circles() -> None:
    # names under TYPE_CHECKING are for readers and mypy; everything else counts, also inside functions,
    # except the façade `bench` itself, which everybody lies in
    edges: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
                node.body = [ast.Pass()]
        targets = set()
        for target in imported(path, tree):
            while target and target not in MODULES:
                target = target.rpartition(".")[0]
            targets.add(target)
        edges[name] = targets - {"", "bench", name}
    edges.pop("bench")
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for target in sorted(edges[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())


@pytest.mark.parametrize(
    "module",
    [
        "bench",
        "bench.types",
        "bench.protocols",
        "bench.errors",
        "bench.registry",
        "bench.channels",
        "bench.inventory.doctor",
        "bench.cli",
    ],
)
def test_the_command_line_starts_light(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr[-400:]
