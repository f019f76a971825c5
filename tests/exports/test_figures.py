"""What both formats of figures hold: the leaderboard's own numbers, in documents that their schemas take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bench.board.loading import load
from bench.board.views.leaders import VIEW
from bench.errors import UserError
from bench.exports.formats import files, names
from bench.exports.formats.huggingface import DATASET
from bench.exports.source import CLOCK, read
from bench.records.record import Metric, Named
from bench.types import Flag, FlagCode

Plant = Callable[..., Path]
DATA = Path(__file__).parent / "data"
SCHEMA = json.loads((DATA / "every_eval_ever-0.3.0.schema.json").read_text("utf-8"))
HOSTILE = "../../x\"'\\: {a}\n- \u202e@]%\x00é\uffff<script>"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLOCK, "1700000000")


def first(count: int, users: int = 20) -> list[bool]:
    return [i < count for i in range(users)]


def own(rate: float) -> dict[str, Any]:
    cloaks = {"cfr": Metric(value=rate, low=0, high=1, n=9, better="lower")}
    return {"level": "adaptive", "own_cloaks": cloaks}


def mask(count: int | None, **changes: Any) -> dict[str, Any]:
    return {"found": None if count is None else first(count), **changes}


def reference(name: str, count: int) -> dict[str, Any]:
    return mask(count, defense=Named(name=name), surrogate=[], knowledge="none")


def documents(*folders: Path) -> list[dict[str, Any]]:
    made = [json.loads(content) for content in files("every-eval-ever", read(folders)).values()]
    for document in made:
        jsonschema.Draft7Validator(SCHEMA).validate(document)
    return made


def results(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Path -> results, of all files but the benchmark's declaration."""
    made = files("huggingface", read([folder]))
    return {path: yaml.safe_load(content) for path, content in made.items() if path != "eval.yaml"}


def scores(document: dict[str, Any]) -> dict[str, Any]:
    return {one["metric_config"]["metric_name"]: one for one in document["evaluation_results"]}


def test_an_evaluation_has_the_figures_of_the_leaderboard_and_of_its_cells(plant: Plant) -> None:
    folder = plant("run", mask(4, **own(0.5)), mask(9, attacker=Named(name="hdbscan"), **own(0.2)))
    (document,) = documents(folder)
    (row,) = VIEW.table(*load([folder], of_users=True, of_photos=True)).rows
    assert row.chosen is not None and row.worst is not None
    chosen = scores(document)["CFR-chosen"]
    assert chosen["score_details"]["score"] == row.chosen.value == 4 / 20
    assert chosen["metric_config"]["lower_is_better"] is True
    said = chosen["score_details"]["uncertainty"]
    assert said["num_samples"] == 20
    interval = said["confidence_interval"]
    assert (interval["lower"], interval["upper"]) == (row.chosen.low, row.chosen.high)
    assert interval["confidence_level"] == 0.95
    assert chosen["score_details"]["details"]["attack"].startswith("dbscan through net")
    assert scores(document)["CFR-max"]["score_details"]["score"] == row.worst.value
    of_cells = {
        one["score_details"]["details"]["attacker"]: one["score_details"]["score"]
        for one in document["evaluation_results"]
        if "cell" in one["score_details"]["details"]
    }
    assert of_cells == {"dbscan": 4 / 20, "hdbscan": 9 / 20}


def test_a_protection_rate_is_better_when_higher(plant: Plant) -> None:
    scenario = Named(name="evasion", parameters={"users": 20, "photos": 1})
    folder = plant("run", mask(15, figure="psr1", scenario=scenario, attacker=Named(name="knn")))
    (document,) = documents(folder)
    assert {one["metric_config"]["lower_is_better"] for one in document["evaluation_results"]} == {False}
    assert scores(document)["PSR@1"]["score_details"]["score"] == 15 / 20


def test_what_has_no_value_is_no_score(plant: Plant) -> None:
    folder = plant("run", mask(4), mask(None, attacker=Named(name="hdbscan")))
    (document,) = documents(folder)
    attackers = [one["score_details"]["details"].get("attacker") for one in document["evaluation_results"]]
    assert attackers.count("dbscan") == 1
    assert "hdbscan" not in attackers
    for name in ("every-eval-ever", "huggingface"):
        with pytest.raises(UserError, match=r"no cell|no defense"):
            files(name, read([plant(name, mask(None))]))


def test_a_doubt_goes_with_the_figure(plant: Plant) -> None:
    weak = Flag(FlagCode.WEAK_ATTACKER, "finds 0.10 of the people on clean photos")
    folder = plant("run", mask(0, flags=[weak]))
    (document,) = documents(folder)
    assert "the attacker is weak" in scores(document)["CFR-max"]["score_details"]["details"]["bound"]
    assert any("finds 0.10" in str(one["score_details"]["details"]) for one in document["evaluation_results"])
    (of_file,) = results(folder).values()
    assert "the attacker is weak" in of_file[0]["notes"]


def test_a_reference_is_one_evaluation_and_stands_in_every_track_of_a_board(plant: Plant) -> None:
    white: dict[str, Any] = {"knowledge": "white-box", "encoder": Named(name="its")}
    folder = plant("run", mask(4), mask(0, **white), reference("none", 20))
    models = [document["model_info"]["name"] for document in documents(folder)]
    assert sorted(models) == ["mask", "mask", "none"]
    tasks = {
        path: [one["dataset"]["task_id"] for one in of_file] for path, of_file in results(folder).items()
    }
    of = {
        name: {t for path, ts in tasks.items() if path.startswith(f"{name}/") for t in ts} for name in models
    }
    assert of["none"] == of["mask"]
    declared = yaml.safe_load(files("huggingface", read([folder]))["eval.yaml"])
    assert {task["id"] for task in declared["tasks"]} == of["mask"]


def test_a_result_on_the_hub_is_one_number_and_its_notes_say_the_rest(plant: Plant) -> None:
    (of_file,) = results(plant("run", mask(4))).values()
    result = of_file[0]
    assert result["dataset"] == {"id": DATASET, "task_id": "cfr-max-synthetic-black-box-linf-8"}
    assert result["value"] == pytest.approx(4 / 20, abs=0.001)
    for words in ("20 users", "lower protects better", "surrogate net", "budget linf:8"):
        assert words in result["notes"]


def test_the_same_records_at_the_same_time_give_the_same_bytes(plant: Plant) -> None:
    folder = plant("run", mask(4), reference("none", 20))
    for name in ("every-eval-ever", "huggingface"):
        assert files(name, read([folder])) == files(name, read([folder]))


def test_rows_that_differ_in_their_surrogate_alone_have_files_of_their_own(plant: Plant) -> None:
    folder = plant("run", mask(4), mask(6, surrogate=[Named(name="other")]))
    assert sorted(one[0]["value"] for one in results(folder).values()) == [
        pytest.approx(0.2, abs=0.001),
        pytest.approx(0.3, abs=0.001),
    ]


@pytest.mark.parametrize("name", names())
def test_hostile_texts_stay_texts_and_no_file_leaves_the_folder(plant: Plant, name: str) -> None:
    named = Named(name=HOSTILE)
    folder = plant(
        "run",
        mask(
            4,
            defense=Named(name=HOSTILE, parameters={HOSTILE: HOSTILE}),
            dataset=Named(name=HOSTILE),
            scenario=Named(name=HOSTILE, parameters={"users": 20}),
            surrogate=[named],
            encoder=named,
            attacker=named,
            detector=named,
            adaptation=named,
            level=HOSTILE,
            flags=[Flag(FlagCode.OTHER, HOSTILE)],
            environment={"cloakbench": HOSTILE},
        ),
    )
    if name == "croissant":
        with pytest.raises(UserError, match="neither"):
            files(name, read([folder]))
        return
    made = files(name, read([folder]))
    for path, content in made.items():
        parts = Path(path).parts
        assert not Path(path).is_absolute() and ".." not in parts
        assert all(set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._") for part in parts)
        text = content.decode()
        assert not {"\x00", "\u202e", "\uffff"} & set(text)
        if path.endswith(".json"):
            jsonschema.Draft7Validator(SCHEMA).validate(json.loads(text))
        if path.endswith(".yaml"):
            yaml.safe_load(text)
