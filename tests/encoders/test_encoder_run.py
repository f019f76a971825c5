"""Runs with encoders that a user brought: what is recorded, and what one bad encoder costs the others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench import encoders
from bench.errors import RefusedError, UserError
from bench.experiment.session import RunResult, execute
from bench.plan.spec import RunSpec

SMALL = RunSpec(
    dataset="synthetic:people=12,photos-each=6", users=2, photos=4, background=2, device="cpu", seed=3
)


def spec(**changes: object) -> RunSpec:
    return RunSpec(**{**{f: getattr(SMALL, f) for f in SMALL.__dataclass_fields__}, **changes})


def write(path: Path, *, value: float = 1.0, refuses: bool = False) -> str:
    """A 4 x 4 grid of mean colours times a matrix, and its card; returns what a user types."""
    matrix = value * np.random.default_rng(0).standard_normal((48, 8)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[28, 28], strides=[28, 28]),
        *([helper.make_node("Shrink", ["p"], ["grid"], lambd=0.0)] if refuses else []),
        helper.make_node("Flatten", ["grid" if refuses else "p"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["e"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("e", TensorProto.FLOAT, ["n", 8])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    path.with_suffix(".card.toml").write_text(
        'architecture = "grid"\ntraining_set = "none"\nlicence = "MIT"\nsource = "a test"\ndimensions = 8\n'
    )
    return f"onnx:{path}"


def outcome(result: RunResult) -> dict[str, str]:
    return {record.encoder.name: record.status for record in result.records}


def test_a_users_file_embeds_and_is_a_surrogate_and_no_path_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "a+b").mkdir()
    name = write(tmp_path / "a+b" / "grid.onnx")
    axis = (name, "synth-ir", f"{name}+synth-ir", f"mean:synth-ir+{name}")
    result = execute(spec(defenses=("pgd:steps=2",), encoders=axis, surrogates=(name, f"{name}+synth-ir")))
    assert not result.faults
    knowledge = {record.encoder.name: record.knowledge for record in result.records[:4]}
    together = {"grid+synth-ir": "grey-box", "mean:synth-ir+grid": "grey-box"}
    assert knowledge == {"grid": "white-box", "synth-ir": "black-box"} | together
    assert [len(record.surrogate) for record in result.records] == [1] * 4 + [2] * 4
    text = result.records.to_json()
    assert str(tmp_path) not in text
    assert json.loads(text)["cells"][0]["surrogate"][0]["name"] == "grid"


def test_no_embedding_fails_its_own_cell_and_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = write(tmp_path / "bad.onnx", value=float("nan"))
    # a network may give an embedding of the crop that it is tried on, and none of a photo
    monkeypatch.setattr("bench.encoders.trial_run.ready", encoders.ready)
    result = execute(spec(encoders=(bad, "synth-ir")))
    assert outcome(result) == {"bad": "failed", "synth-ir": "ok"}
    [fault] = result.faults
    assert "encoder 'bad'" in str(fault)
    assert "not finite" in str(fault)


def test_a_changed_file_is_another_cell(tmp_path: Path) -> None:
    name = write(tmp_path / "grid.onnx")
    [before] = execute(spec(encoders=(name,))).records
    write(tmp_path / "grid.onnx", value=2.0)
    [after] = execute(spec(encoders=(name,))).records
    card = tmp_path / "grid.card.toml"
    card.write_text(card.read_text() + 'colour = "bgr"\n')
    [swapped] = execute(spec(encoders=(name,))).records
    assert len({before.cell, after.cell, swapped.cell}) == 3
    assert not swapped.cost.reused


def test_a_surrogate_without_a_twin_is_one_line(tmp_path: Path) -> None:
    name = write(tmp_path / "grid.onnx", refuses=True)
    assert outcome(execute(spec(encoders=(name,)))) == {"grid": "ok"}
    with pytest.raises(UserError, match=r"'grid' cannot be a surrogate: .* Shrink") as caught:
        execute(spec(defenses=("pgd:steps=2",), encoders=("synth-ir",), surrogates=(name,)))
    assert "\n" not in str(caught.value)


def test_such_a_surrogate_leaves_the_other_cells_alone(tmp_path: Path) -> None:
    name = write(tmp_path / "grid.onnx", refuses=True)
    result = execute(spec(defenses=("pgd:steps=2",), encoders=("synth-ir",), surrogates=(name, "synth-ir")))
    assert [record.status for record in result.records] == ["failed", "ok"]
    (fault,) = result.faults
    assert isinstance(fault, RefusedError)


def test_a_broken_file_stops_a_run_before_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = write(tmp_path / "grid.onnx")
    whole = (tmp_path / "grid.onnx").read_bytes()
    (tmp_path / "grid.onnx").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr("bench.experiment.pipeline.Pipeline.run", lambda *_: pytest.fail("it ran"))
    with pytest.raises(UserError, match="only part of one"):
        execute(spec(encoders=("synth-ir", name)))


def test_a_network_that_gives_no_embedding_stops_a_run_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = write(tmp_path / "bad.onnx", value=float("nan"))
    monkeypatch.setattr("bench.experiment.pipeline.Pipeline.run", lambda *_: pytest.fail("it ran"))
    for role in ({"encoders": ("synth-ir", bad)}, {"defenses": ("pgd:steps=2",), "surrogates": (bad,)}):
        with pytest.raises(
            UserError, match="'bad': 3 of 3 embeddings are not finite, of crops to try"
        ) as caught:
            execute(spec(**role))
        assert "\n" not in str(caught.value)


def moody(path: Path, *, breaks: str) -> str:
    """A network that gives no embedding of bright crops, and a card; returns what a user types.

    Args:
        path: Where the file goes.
        breaks: `nan`, `inf`, `zero`, `shape` (another number of values), or `fails` (it does not run).
    """
    write(path)
    model = onnx.load(path)
    limit = numpy_helper.from_array(np.array(0.8, np.float32), "limit")
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1, 1], np.int64), "column"))
    nodes = [  # crop by crop where the answer has one shape; a batch may hold a bright crop and a dark one
        helper.make_node("ReduceMean", ["x"], ["means"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["means", "column"], ["mean"]),
        helper.make_node("Greater", ["mean", "limit"], ["bright"]),
    ]
    if breaks in ("nan", "inf", "zero"):
        value = {"nan": np.nan, "inf": np.inf, "zero": 0.0}[breaks]
        model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), "odd"))
        model.graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), "one"))
        nodes.append(helper.make_node("Where", ["bright", "odd", "one"], ["factor"]))
        nodes.append(helper.make_node("Mul", ["e0", "factor"], ["e"]))
    else:
        # a bright crop loses the last column, which the card and a final reshape do not expect
        ends = {"full": [8], "less": [7]}
        for name, end in ends.items():
            model.graph.initializer.append(numpy_helper.from_array(np.array(end, np.int64), name))
        model.graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), "zero"))
        model.graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "axis"))
        model.graph.initializer.append(numpy_helper.from_array(np.array([-1, 8], np.int64), "rows"))
        nodes.append(helper.make_node("Where", ["bright", "less", "full"], ["ends"]))
        model.graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "list"))
        nodes.append(helper.make_node("Reshape", ["ends", "list"], ["end"]))
        cut = "e" if breaks == "shape" else "cut"
        nodes.append(helper.make_node("Slice", ["e0", "zero", "end", "axis"], [cut]))
        if breaks == "fails":
            nodes.append(helper.make_node("Reshape", ["cut", "rows"], ["e"]))
    model.graph.initializer.append(limit)
    model.graph.node[-1].output[0] = "e0"
    model.graph.node.extend(nodes)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, path)
    return f"onnx:{path}"


@pytest.mark.parametrize("breaks", ["nan", "inf", "zero", "shape", "fails"])
def test_a_crop_without_an_embedding_fails_its_cells_and_names_photo_and_encoder(
    breaks: str, tmp_path: Path
) -> None:
    bad = moody(tmp_path / "moody.onnx", breaks=breaks)
    result = execute(spec(encoders=(bad, "synth-ir", f"{bad}+synth-ir")))
    assert outcome(result) == {"moody": "failed", "synth-ir": "ok", "moody+synth-ir": "failed"}
    data = result.pipeline.plan.data
    digests = {data.digest(photo): photo for photo in data.catalogue().photos}
    for fault, record in zip(result.faults, [r for r in result.records if r.status == "failed"], strict=True):
        assert isinstance(fault, RefusedError)
        assert str(fault).startswith("encoder 'moody'")
        assert record.error is not None and "\n" not in str(fault)
        # the record has the digest, the message has the photo's name too
        named = [digest for digest in digests if digest in record.error]
        released = "released photos" in record.error
        assert released or len(named) == 1
        assert not any(name in record.error for name in digests.values())
        assert any(str(fault).endswith(f"The photo is {name}.") for name in digests.values())


def test_a_run_of_one_such_cell_is_one_line(tmp_path: Path) -> None:
    bad = moody(tmp_path / "moody.onnx", breaks="nan")
    with pytest.raises(UserError, match=r"encoder 'moody': \d+ of \d+ embeddings are not finite: .*photo"):
        execute(spec(encoders=(bad,)))
