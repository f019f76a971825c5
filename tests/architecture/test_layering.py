"""Who may import whom: the promises of the architecture, read from the source.

A rule is one assertion with the list of its offenders, and it names rooms (folders of `bench/`): a rule
whose room has another name today, or no files, fails.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN_FOLDERS = ("defenses", "attackers", "datasets")
PLUGIN_MAY_IMPORT = {"bench.types", "bench.protocols", "bench.errors", "bench.containers"}

SHELF = {
    *("types", "budgets", "protocols", "descent", "errors", "registry", "parameters", "torchvision_compat"),
    "containers",
    "__init__",
}
"""The files at the top level of `bench/`: outside authors import them, so their paths stay."""

FLOORS: tuple[tuple[str, ...], ...] = (
    ("store", "uncertainty"),
    ("machine", "metrics"),
    ("channels", "encoders"),
    ("photos",),
    ("faces", "adaptations"),
    ("optim", "fetching", "training"),
    ("plan",),
    ("records",),
    ("recognition", "board"),
    ("release", "attack", "comparison", "charts", "costs"),
    ("experiment", "gate"),
    ("verification", "inventory", "site", "scaffold", "engines", "upkeep"),
    ("exports", "submission"),
    ("cli",),
)
"""The rooms, lowest floor first. A room imports the shelf and the floors below it."""

MAY_IMPORT = {
    # metrics are functions of arrays
    "metrics": {"bench.types", "bench.torchvision_compat", "bench.uncertainty"},
    "uncertainty": {"bench.types"},
    # channels see photos and nothing else
    "channels": {
        "bench.types",
        "bench.errors",
        "bench.store.code",
        "bench.store.digests",
        "bench.parameters",
        "bench.machine.workers",
    },
    # a board reads records, and the table that says what their options are: it cannot run, attack or
    # recognise anything; of an attacker whose cell failed it asks the role, which says what the cell lacks
    "board": {
        "bench.types",
        "bench.errors",
        "bench.plan.axes",
        "bench.plan.rows",
        "bench.plan.scenarios",
        "bench.records",
        "bench.registry",
        "bench.uncertainty",
        "bench.metrics.clustering",
        "bench.channels",
        "bench.store.reading",
        "bench.store.writing",
    },
    # a chart shows rows of a board: it reads no file and computes no figure
    "charts": {
        "bench.types",
        "bench.errors",
        "bench.board",
        "bench.records.record",
        "bench.store.writing",
    },
    # what an attacker learns, it learns from photos handed to it: it cannot ask a data set, a split
    # or a defense for more
    "adaptations": {
        "bench.types",
        "bench.protocols",
        "bench.errors",
        "bench.parameters",
        "bench.machine.workers",
        "bench.encoders",
        "bench.optim",
    },
}
"""Rooms that see less than the floors below them: what of `bench` they may import beside themselves."""

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
    "jinja2",
    "vl_convert",
)

Edges = Mapping[str, set[str]]


def imported(package: str, tree: ast.AST) -> Iterator[str]:
    """Absolute name of everything a file of `package` imports, wherever in the file.

    `from a import b` gives `a.b`.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


@dataclass(frozen=True)
class Source:
    """A file of the project, by its path below the root."""

    path: Path

    @property
    def module(self) -> str:
        """`bench/metrics/__init__.py` -> `bench.metrics`."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """`bench/plan/suites/x.py` -> `plan`; empty on the shelf and in a plug-in."""
        return self.path.parts[1] if self.path.parts[0] == "bench" and len(self.path.parts) > 2 else ""

    @property
    def package(self) -> str:
        """What its relative imports start from."""
        return self.module if self.path.stem == "__init__" else self.module.rpartition(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse((ROOT / self.path).read_text("utf-8"))

    @cached_property
    def imports(self) -> set[str]:
        """Everything it imports."""
        return set(imported(self.package, self.tree))

    @cached_property
    def imports_when_run(self) -> set[str]:
        """The same less the names under TYPE_CHECKING, which are for readers and mypy."""
        tree = ast.parse(ast.unparse(self.tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
                node.body = [ast.Pass()]
        return set(imported(self.package, tree))

    @property
    def relative_imports(self) -> set[str]:
        """What it imports by relative imports."""
        relative = [n for n in ast.walk(self.tree) if isinstance(n, ast.ImportFrom) and n.level]
        return set(imported(self.package, ast.Module(list(relative), [])))

    @property
    def own_imports(self) -> set[str]:
        """What it imports of this project."""
        return {name for name in self.imports if name.split(".")[0] in {"bench", *PLUGIN_FOLDERS}}


def sources(folder: str) -> list[Source]:
    """The Python files below a folder of the project; there must be some."""
    files = [Source(p.relative_to(ROOT)) for p in sorted((ROOT / folder).rglob("*.py"))]
    assert files, f"{folder}/ holds no Python files: has it another name now?"
    return files


def room(name: str) -> list[Source]:
    """The files of a room of `bench/`; there must be some."""
    return sources(f"bench/{name}")


PLUGINS = [source for folder in PLUGIN_FOLDERS for source in sources(folder)]
BENCH = sources("bench")
MODULES = {source.module: source for source in BENCH}
ROOMS = {source.room for source in BENCH if source.room}


def within(name: str, modules: set[str]) -> bool:
    return any(name == m or name.startswith(m + ".") for m in modules)


def defined_in(name: str) -> str:
    """The module of `bench` that an imported name comes from: `bench.types.Face` -> `bench.types`, or ''."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def arrows() -> Iterator[tuple[Source, Source]]:
    """Who imports whom within `bench` at run time; not the facade `bench`, which hands on `bench.run`."""
    for source in BENCH:
        targets = {defined_in(name) for name in source.imports_when_run} - {"", "bench", source.module}
        yield from ((source, MODULES[target]) for target in sorted(targets) if source.module != "bench")


def circle(edges: Edges) -> list[str]:
    """A circle of the arrows, its first name again at its end; empty if there is none."""
    finished: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name not in finished:
            for target in sorted(edges.get(name, ())):
                if closed := visit(target, [*trail, name]):
                    return closed
            finished.add(name)
        return []

    return next(filter(None, (visit(name, []) for name in edges)), [])


def test_imports_are_read_in_every_form() -> None:
    text = "import a.b\nfrom .c import d\nfrom .. import e\ndef f():\n    from bench.types import g\n"
    assert set(imported("bench.metrics", ast.parse(text))) == {
        *("a.b", "bench.metrics.c.d", "bench.e", "bench.types.g")
    }


def test_a_rule_whose_room_is_gone_fails() -> None:
    with pytest.raises(AssertionError, match="bench/corridor/ holds no Python files"):
        room("corridor")


def test_a_circle_is_seen_and_a_diamond_is_none() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}) == []


def test_the_top_level_holds_the_public_shelf_only() -> None:
    assert {source.path.stem for source in BENCH if not source.room} == SHELF


def test_every_room_has_a_floor() -> None:
    named = [name for floor in FLOORS for name in floor]
    assert sorted(named) == sorted(ROOMS)


def test_no_arrow_runs_against_the_floors() -> None:
    height = {name: level for level, floor in enumerate(FLOORS, 1) for name in floor} | {"": 0}
    assert not [
        f"{source.path} imports {target.module}"
        for source, target in arrows()
        if source.room != target.room and height[source.room] <= height[target.room]
    ]


def test_no_circle_of_rooms() -> None:
    # the floors refuse one, too; this says which rooms close it
    edges: dict[str, set[str]] = {name: set() for name in ROOMS}
    for source, target in arrows():
        if source.room and target.room and source.room != target.room:
            edges[source.room].add(target.room)
    assert circle(edges) == []


def test_no_circle_of_files() -> None:
    edges: dict[str, set[str]] = {name: set() for name in MODULES}
    for source, target in arrows():
        edges[source.module].add(target.module)
    assert circle(edges) == []


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_a_narrow_room_sees_no_more_than_it_is_granted(name: str) -> None:
    granted = MAY_IMPORT[name] | {f"bench.{name}"}
    assert not [
        f"{source.path} imports {target}"
        for source in room(name)
        for target in sorted(source.own_imports)
        if not within(target, granted)
    ]


def test_what_a_narrow_room_may_import_exists() -> None:
    granted = set().union(*MAY_IMPORT.values(), PLUGIN_MAY_IMPORT)
    assert granted <= set(MODULES)


def private(source: Source) -> set[str]:
    """The private modules and rooms of a plug-in's folder: `attackers._graph`."""
    folder = source.path.parts[0]
    return {f"{folder}.{p.stem}" for p in (ROOT / folder).glob("_[!_]*")}


def test_a_plugin_sees_nouns_verbs_errors_and_private_siblings() -> None:
    # a relative import that climbs out of the folder names something without the folder's name in front
    assert not [
        f"{source.path} imports {target}"
        for source in PLUGINS
        for target in sorted(source.own_imports | source.relative_imports)
        if not within(target, PLUGIN_MAY_IMPORT | private(source))
    ]


def test_a_folder_among_plugins_is_a_private_room() -> None:
    # plug-ins lie flat; what lies deeper is a package of its own, which pyproject.toml lists
    deeper = {source.path.parent for source in PLUGINS if len(source.path.parts) > 2}
    assert deeper
    assert not [str(f) for f in deeper if len(f.parts) > 2 or not f.name.startswith("_")]
    assert not [str(f) for f in deeper if not (ROOT / f / "__init__.py").exists()]


def test_siblings_are_imported_relatively() -> None:
    # an absolute `import datasets` would find another distribution on many machines
    absolute = [
        (source, name)
        for source in PLUGINS
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level)
        for name in imported(source.package, ast.Module([node], []))
    ]
    assert absolute
    assert not [
        f"{source.path} imports {name}" for source, name in absolute if within(name, {*PLUGIN_FOLDERS})
    ]


def test_bench_reaches_plugins_only_through_the_registry() -> None:
    # training draws people whom no data set that a run can open has, so it asks the renderer itself
    exempt = {MODULES["bench.registry"], *room("training")}
    plugins = {*PLUGIN_FOLDERS, *(f"bench.{folder}" for folder in PLUGIN_FOLDERS)}
    offenders = [f"{s.path} imports {name}" for s in BENCH for name in s.imports if within(name, plugins)]
    for source in BENCH:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                name = ast.unparse(node.args[0])
                if source not in exempt and any(folder in name for folder in PLUGIN_FOLDERS):
                    offenders.append(f"{source.path} imports {name}")
    assert not offenders


def test_no_run_imports_training() -> None:
    training = room("training")
    assert not [
        f"{source.path} imports {name}"
        for source in BENCH
        for name in source.imports
        if source not in training and within(name, {"bench.training"})
    ]


def test_nothing_imports_what_only_a_checkout_has() -> None:
    # these become importable in a checkout by the three lines of design/001
    checkout = {"bench.tests", "bench.bench", "bench.design", "tests"}
    assert not [
        f"{source.path} imports {name}"
        for source in [*BENCH, *PLUGINS]
        for name in source.imports
        if within(name, checkout)
    ]


def test_rooms_and_files_have_names() -> None:
    nameless = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [
        str(source.path)
        for source in [*BENCH, *PLUGINS]
        if nameless & {part.strip("_") for part in source.path.with_suffix("").parts}
    ]


def test_no_plugin_folder_is_a_package() -> None:
    assert not [folder for folder in PLUGIN_FOLDERS if (ROOT / folder / "__init__.py").exists()]


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
        "bench.cli.application",
        "bench.gate.pytest_plugin",
    ],
)
def test_the_command_line_starts_light(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr[-400:]
