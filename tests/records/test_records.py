"""A record says everything, exactly, and is read back as it was."""

from __future__ import annotations

import errno
import json
import math
import os
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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"schema_version": "1", "cells": []}', 'schema_version is "1", and must be a whole number'),
        ('{"schema_version": true, "cells": []}', "schema_version is true"),
        ('{"schema_version": 1.0, "cells": []}', "schema_version is 1.0"),
        ('{"schema_version": 2, "cells": [NaN]}', "NaN, which is no number of JSON"),
        ('{"schema_version": 2, "cells": [1e999]}', r"cells\[0\] is inf"),
        ('{"schema_version": 2, "cells": {}}', "cells is {}, and must be a list"),
        ('{"schema_version": 2, "cells": [], "cells": []}', "cells stands twice"),
        ('{"schema_version": 2, "cells": ' + "[" * 1000 + "]" * 1000 + "}", "levels deep"),
        ('{"schema_version": 2, "cells": ' + "9" * 4000 + "}", "cells is a whole number beyond"),
        ('{"schema_version": 2, "cells": ' + "9" * 9000 + "}", "thousands of digits"),
        ('{"schema_version": 2, "cells": ["\\ud800"]}', "half of a character is missing"),
        ('{"schema_version": 2, "cells": [{}]}', r"cells\[0\].cell: Field required"),
    ],
)
def test_a_message_names_the_field_and_what_it_holds(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "records.json").write_text(content)
    with pytest.raises(UserError, match=said) as caught:
        read(tmp_path)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"metrics": {"cfr": {"value": 2.0, "low": 0, "high": 1, "n": 3, "better": "lower"}}},
            "cfr has 2, and",
        ),
        ({"metrics": {"cfr": {"value": "0.5", "low": 0, "high": 1, "n": 3, "better": "lower"}}}, "cfr.value"),
        ({"metrics": {"cfr": {"value": 0.5, "low": 0, "high": 1, "n": -3, "better": "lower"}}}, "cfr.n"),
        (
            {"metrics": {"cfr": {"value": 0.5, "low": 0.9, "high": 1, "n": 3, "better": "lower"}}},
            "begins at 0.9",
        ),
        ({"budget": "linf:x"}, "budget"),
        ({"channel": "no-such"}, "channel"),
        ({"dose": 0}, "dose"),
        ({"draw": -1}, "draw"),
        ({"outcomes": {"ok": True}}, "outcomes.ok"),
        ({"scenario": {"name": "introduced", "parameters": {"users": "20"}}}, "users is"),
        ({"perceptual": {"photo": {"ssim": {"mean": 3.0}}}}, "ssim.mean is 3"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    document = json.loads(Records([record()]).to_json())
    document["cells"][0] |= changes
    (tmp_path / "records.json").write_text(json.dumps(document))
    with pytest.raises(UserError, match=said):
        read(tmp_path)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ELOOP, errno.EMFILE])
def test_a_folder_that_cannot_be_looked_into_is_no_traceback(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "records.json").write_text(Records([record()]).to_json())

    def refuse(path: Path) -> bool:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(UserError, match="cannot read"):
        read(tmp_path)
