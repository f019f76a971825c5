"""What `--engine` takes, and what it says to anything else."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from bench.engines.names import Engine, parse, pool_of
from bench.errors import UserError
from bench.types import Folders


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        ("local", Engine()),
        ("processes:3", Engine("processes", 3)),
        ("dask:2", Engine("dask", 2)),
        ("dask:tcp://node:8786", Engine("dask", address="tcp://node:8786")),
        ("slurm", Engine("slurm", 100)),
        ("slurm:local", Engine("slurm:local", 2)),
        (
            "slurm:jobs=5,mem_gb=8,slurm_partition=gpu",
            Engine("slurm", 5, parameters={"mem_gb": 8, "slurm_partition": "gpu"}),
        ),
        ("slurm:local,jobs=3", Engine("slurm:local", 3)),
    ],
)
def test_engines_are_read(text: str, engine: Engine) -> None:
    assert parse(text) == engine


@pytest.mark.parametrize(
    "text",
    [
        "",
        "processes",
        "processes:0",
        "processes:-1",
        "processes:x",
        "dask",
        "dask:0",
        "ray:2",
        "slurm:jobs=0",
        "slurm:what",
        "slurm:jobs=",
        "local:2",
    ],
)
def test_anything_else_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match=r"Try --engine processes:2\.") as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "extra", "module"), [("dask:2", "dask", "distributed"), ("slurm:local", "slurm", "submitit")]
)
def test_an_engine_that_is_not_installed_says_what_to_type(
    text: str, extra: str, module: str, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = builtins.__import__

    def without(name: str, *others: Any, **named: Any) -> Any:
        if name.partition(".")[0] == module:
            raise ImportError(name)
        return usual(name, *others, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=rf"pip install 'cloakbench\[{extra}\]'"):
        pool_of(parse(text), folders, ["cpu"], 1)


def test_without_slurm_it_says_what_runs_here(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="slurm:local"):
        pool_of(parse("slurm"), folders, ["cpu"], 1)


def test_a_parameter_that_submitit_has_not_is_one_line(folders: Folders) -> None:
    pytest.importorskip("submitit")
    with pytest.raises(UserError, match="colour"):
        pool_of(parse("slurm:local,colour=3"), folders, ["cpu"], 1)


def test_nobody_at_an_address_is_one_line(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("bench.engines.dask_pool._BEGIN", 1)
    with pytest.raises(UserError, match="no cluster of dask"):
        pool_of(parse("dask:tcp://127.0.0.1:9"), folders, ["cpu"], 1)


def test_every_process_has_a_card_of_its_own(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    pool: Any = pool_of(parse("processes:2"), folders, ["cuda"], 3)
    assert [one["CUDA_VISIBLE_DEVICES"] for one in pool._environments] == ["2", "5"]
    assert {one["OMP_NUM_THREADS"] for one in pool._environments} == {"3"}
    with pytest.raises(UserError, match=r"there are 2\. Try --engine processes:2"):
        pool_of(parse("processes:3"), folders, ["cuda:0"], 1)
