"""A record says everything, exactly, and is read back as it was."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from bench.errors import UserError
from bench.records import SCHEMA_VERSION, CellRecord, Cost, Metric, Named, Records, read, schema
from bench.types import Flag, FlagCode, Score


def record(**changes: Any) -> CellRecord:
    stated: dict[str, Any] = {
        "cell": "c" * 64,
        "status": "ok",
        "dataset": Named(name="synthetic", parameters={"people": 12}, digest="d" * 64),
        "scenario": Named(name="introduced"),
        "defense": Named(name="noise", parameters={"kind": "sign"}),
        "surrogate": [Named(name="one"), Named(name="two")],
        "budget": "linf:8",
        "channel": "none",
        "encoder": Named(name="some-encoder"),
        "attacker": Named(name="dbscan"),
        "detector": Named(name="mtcnn"),
        "knowledge": "black-box",
        "seed": 0,
        "metrics": {"cfr": Metric(value=1 / 3, low=0.1, high=0.6, n=3, better="lower")},
        "perceptual": {"photo": {"ssim": {"mean": 0.9, "worst": 0.8}}},
        "outcomes": {"ok": 12},
        "cost": Cost(seconds={"cloak": 1.5}),
        "environment": {"commit": "abc"},
    }
    return CellRecord(**(stated | changes))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    records = Records([record(), record(cell="e" * 64, status="failed", error="a fault")])
    (tmp_path / "records.json").write_text(records.to_json())
    assert list(read(tmp_path)) == list(records)
    assert list(read(tmp_path / "records.json")) == list(records)


def test_figures_are_not_rounded(tmp_path: Path) -> None:
    (tmp_path / "records.json").write_text(Records([record()]).to_json())
    assert read(tmp_path)[0].metrics["cfr"].value == 1 / 3


def test_the_document_keeps_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    document = json.loads(Records([record(), record(status="skipped", metrics={})]).to_json())
    jsonschema.validate(document, schema())
    assert document["schema_version"] == SCHEMA_VERSION
    for path, value in (("status", "perhaps"), ("knowledge", "some"), ("seed", "zero"), ("surprise", 1),
                        ("flags", ["oracle"]), ("flags", [{"code": "oracle"}]),
                        ("flags", [{"code": "odd", "reason": ""}])):  # fmt: skip
        wrong = json.loads(json.dumps(document))
        wrong["cells"][0][path] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema())


def test_a_flag_is_a_code_and_a_reason(tmp_path: Path) -> None:
    flagged = record(flags=[Flag(FlagCode.ORACLE, "told the true number of people")])
    text = Records([flagged]).to_json()
    assert json.loads(text)["cells"][0]["flags"] == [
        {"code": "oracle", "reason": "told the true number of people"}
    ]
    (tmp_path / "records.json").write_text(text)
    assert read(tmp_path)[0].flags == flagged.flags
    with pytest.raises(ValidationError):
        record(flags=[{"code": "oracle", "reason": "", "colour": "red"}])


def test_a_metric_is_a_score_without_numbers_that_json_lacks() -> None:
    score = Score("cfr", 0.25, math.nan, math.inf, 8, "lower", (0.0, 0.5))
    assert Metric.of(score) == Metric(value=0.25, low=None, high=None, n=8, better="lower", bounds=(0.0, 0.5))


def test_timings_and_environment_are_not_compared() -> None:
    other = record(cost=Cost(seconds={"cloak": 9.0}, reused=True), environment={"commit": "def"})
    assert record().comparable() == other.comparable()
    assert record().comparable() != record(seed=1).comparable()
    assert record().comparable() != record(outcomes={"ok": 11, "not_detected": 1}).comparable()


def test_a_record_does_not_change() -> None:
    with pytest.raises(ValidationError):
        record().seed = 3
    with pytest.raises(ValidationError):
        record(colour="red")


def test_records_are_a_sequence() -> None:
    records = Records([record(seed=i) for i in range(4)])
    assert [r.seed for r in records[1:3]] == [1, 2]
    assert isinstance(records[1:3], Records)
    assert (len(records), records[-1].seed) == (4, 3)


def test_a_row_of_the_table() -> None:
    undefined = Metric(value=None, low=None, high=None, n=0, better="lower")
    flags = [
        Flag(FlagCode.OUT_OF_BUDGET, "3 of 8 photos break the budget linf:8"),
        Flag(FlagCode.OTHER, "as it was"),
    ]
    table = Records([record(), record(metrics={"cfr": undefined}, flags=flags)]).to_pandas()
    assert list(table["surrogate"]) == ["one+two"] * 2
    assert table["cfr"].max() == 1 / 3
    assert table["cfr"].isna().tolist() == [False, True]
    assert list(table["ssim"]) == [0.9] * 2
    assert list(table["flags"]) == ["", "out of budget: 3 of 8 photos break the budget linf:8; as it was"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "1", "null", "{}", '{"schema_version": 1}',
                '{"schema_version": 1, "cells": 3}', '{"schema_version": 1, "cells": [3]}',
                '{"schema_version": 0, "cells": []}', '{"schema_version": "1", "cells": []}',
                '{"schema_version": 1, "cells": [{"flags": 3}]}',
                '{"schema_version": 1, "cells": [{"flags": [3]}]}',
                '{"schema_version": 99, "cells": []}', "\udcff"],
)  # fmt: skip
def test_what_holds_no_records(tmp_path: Path, content: str) -> None:
    (tmp_path / "records.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(UserError) as caught:
        read(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_records_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no records at"):
        read(tmp_path / "nowhere")
