"""Leiden: no worse than Louvain on the same graph, and every community hangs together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from bench.attackers._graph.leiden import leiden_labels
from bench.attackers._graph.louvain import louvain_labels
from bench.attackers._graph.neighbours import Graph, neighbour_graph
from bench.attackers._parameters import packages

from bench import registry
from bench.errors import UserError
from bench.types import Ints

InNetworkx = Callable[[Graph], nx.Graph]


def graph_of(spread: float, eps: float) -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(4)
    owners = rng.permutation(np.arange(300) % 30)
    rows = rng.normal(size=(30, 64))[owners] + spread * rng.normal(size=(300, 64))
    return neighbour_graph(rows, eps), owners


def groups(labels: Ints) -> list[set[int]]:
    names = np.where(labels < 0, labels.size + np.arange(labels.size), labels)
    return [set(np.flatnonzero(names == name).tolist()) for name in np.unique(names)]


def test_people_who_are_apart_are_found() -> None:
    graph, owners = graph_of(0.2, 0.4)
    penalty = 4 / (2 * float((1 - graph.distance).sum()))  # at 1, modularity joins people (its limit)
    assert sorted(map(sorted, groups(leiden_labels(graph, penalty, 0)))) == sorted(
        map(sorted, groups(owners.astype(np.int64)))
    )


@pytest.mark.parametrize("eps", [0.4, 0.6, 0.8])
@pytest.mark.parametrize("resolution", [1.0, 3.0])
def test_its_modularity_is_as_good_as_louvains(
    eps: float, resolution: float, in_networkx: InNetworkx
) -> None:
    graph, _ = graph_of(1.0, eps)
    theirs = in_networkx(graph)
    penalty = resolution / (2 * theirs.size(weight="weight"))
    worth = [
        nx.community.modularity(theirs, groups(labels(graph, penalty, 1)), resolution=resolution)
        for labels in (leiden_labels, louvain_labels)
    ]
    assert worth[0] > worth[1] - 0.01


def test_every_community_hangs_together(in_networkx: InNetworkx) -> None:
    graph, _ = graph_of(1.0, 0.7)
    theirs = in_networkx(graph)
    found = groups(leiden_labels(graph, 0.001, 3))
    assert len(found) > 1
    assert all(nx.is_connected(theirs.subgraph(group)) for group in found)


def test_photos_without_neighbours_are_noise() -> None:
    none = np.zeros(0, np.int32)
    assert leiden_labels(Graph(3, none, none, none.astype(np.float32)), 0.001, 0).tolist() == [-1, -1, -1]
    pair = Graph(4, np.array([1], np.int32), np.array([3], np.int32), np.array([0.2], np.float32))
    assert leiden_labels(pair, 0.001, 0).tolist() == [-1, 0, -1, 0]


@pytest.mark.parametrize(("name", "package"), [("leiden", "leidenalg"), ("infomap", "infomap")])
def test_without_its_package_it_says_what_to_type(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda asked: None if asked == package else asked)
    with pytest.raises(UserError, match=rf"{name} needs the package {package}.*cloakbench\[communities\]"):
        registry.load("attackers", name)().check()


RUN = """
import numpy as np
from bench.attackers._graph.leiden import leiden_labels
from bench.attackers._graph.neighbours import Graph

pair = Graph(2, np.array([0], np.int32), np.array([1], np.int32), np.array([0.2], np.float32))
assert leiden_labels(pair, 0.001, 0).tolist() == [0, 0]
"""


def in_a_process(home: Path, *lines: str) -> None:
    """Run lines in a process whose user has an empty home."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPL"))}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_nothing_is_written_into_the_users_home(tmp_path: Path) -> None:
    in_a_process(tmp_path, RUN, "import sys", "assert 'matplotlib' not in sys.modules")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before", ["", "import matplotlib"])
def test_matplotlib_can_be_loaded_afterwards(before: str, tmp_path: Path) -> None:
    in_a_process(
        tmp_path,
        before,
        RUN,
        "from matplotlib import colors",
        "assert colors.to_hex('red') == '#ff0000'",
    )


def test_whoever_loaded_igraph_before_draws_with_matplotlib(tmp_path: Path) -> None:
    in_a_process(
        tmp_path,
        "import igraph",
        RUN,
        "import matplotlib",
        "matplotlib.use('agg')",
        "from matplotlib import pyplot",
        "igraph.plot(igraph.Graph(2, [(0, 1)]), target=pyplot.subplots()[1])",
    )


def test_matplotlib_is_hidden_no_longer_than_igraph_is_loaded(tmp_path: Path) -> None:
    # another thread may load it while an attacker works
    in_a_process(
        tmp_path,
        RUN,
        "import sys",
        "from bench.attackers._graph import leiden",
        "with leiden._without_matplotlib():",
        "    assert 'matplotlib' not in sys.modules",
    )
