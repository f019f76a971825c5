"""`bench verify`: what it prints, writes, caches and refuses."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch

from bench.board.wording import worded
from bench.encoders import networks
from bench.encoders.families import dlib
from bench.encoders.families.synth import cards
from bench.encoders.faults import EncoderFault
from bench.protocols import Encoder
from bench.types import Folders
from bench.verification.records import read
from bench.verification.table import table, to_markdown

Command = Callable[..., Any]

HERE = ["dlib"] if dlib.FAMILY.present(dlib.CARD, Folders(home="/nowhere")) else []
"""Encoders that a package brings."""

DATA = "synthetic:people=20,photos-each=3"
CARD = next(card for card in cards() if card.name == "synth-ir")
SMALL = ("verify", "synth-ir", "--dataset", DATA, "--device", "cpu", "--pairs", "60")


@pytest.fixture
def made(bench: Command, tmp_path: Path) -> Path:
    """The folder that `bench verify --out` wrote."""
    done = bench(*SMALL, "--out", tmp_path / "out")
    assert done.status == 0, done.err
    return tmp_path / "out"


def test_the_table_says_what_the_record_says(bench: Command, made: Path) -> None:
    (record,) = read(made)
    done = bench(*SMALL)
    assert done.status == 0, done.err
    shown = table([record], intervals=True)
    (row,) = shown.rows
    assert (row.accuracy, row.standard_error) == (record.metrics["accuracy"], record.standard_error)
    assert (row.auc, row.eer) == (record.metrics["auc"], record.metrics["eer"])
    assert (row.parameters, row.flags) == (CARD.parameters, tuple(record.flags))
    names, (texts,) = worded(shown)
    assert all(name in done.out for name in names)
    assert all(text in done.out for text in texts)
    accuracy, eer = record.metrics["accuracy"].value, record.metrics["eer"]
    assert f"{accuracy:.4f} ± {record.standard_error:.4f}" in texts
    assert f"{eer.value:.4f} [{eer.low:.4f}, {eer.high:.4f}]" in texts
    assert f"{eer.value:.4f}" in worded(table([record]))[1][0]  # pages have it without
    assert "pairs drawn with seed 0, 30 + 30 pairs of 20 people" in done.out


def test_the_record_is_complete_and_names_nobody(made: Path, bench_home: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == ["verification.json", "verification.md"]
    (record,) = read(made)
    assert (record.encoder.name, record.dataset.name, record.pairs) == ("synth-ir", "synthetic", "drawn")
    assert record.encoder.digest
    assert record.dataset.digest
    assert record.encoder.parameters["parameters"] == CARD.parameters
    assert (record.counts["genuine"], record.counts["impostor"], record.counts["people"]) == (30, 30, 20)
    assert set(record.metrics) == {
        *("accuracy", "auc", "auc_detected", "eer", "tar_far_1e2", "far_1e2", "tar_far_1e3", "far_1e3"),
    }
    assert len(record.fold_accuracy) == 10
    assert {"torch", "onnxruntime"} <= set(record.environment["packages"])
    assert record.cost.device == "cpu"
    text = (made / "verification.json").read_text()
    assert not [word for word in ("p0000", str(bench_home), str(made), socket.gethostname()) if word in text]
    assert (made / "verification.md").read_text() == to_markdown([record])


def test_json_is_the_document_that_is_written(bench: Command, made: Path) -> None:
    done = bench(*SMALL, "--json")
    document = json.loads(done.out)
    written = json.loads((made / "verification.json").read_text())
    for found in (document, written):
        for record in found["verifications"]:
            del record["cost"]
    assert document == written


def test_a_second_run_computes_nothing(bench: Command, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("an encoder was loaded")

    monkeypatch.setattr("bench.encoders.load", refuse)
    done = bench(*SMALL, "--json")
    assert done.status == 0, done.err
    (record,) = json.loads(done.out)["verifications"]
    photos = record["counts"]["photos"]
    assert record["cost"]["cache_hits"] == {"embedding": photos, "face": photos}
    assert {k: v for k, v in record.items() if k not in ("cost", "environment")} == {
        k: v for k, v in read(made)[0].model_dump(mode="json").items() if k not in ("cost", "environment")
    }


@pytest.mark.parametrize(
    "option", [("--seed", "1"), ("--pairs", "40"), ("--dataset", f"{DATA},hardness=0.9")]
)
def test_every_option_changes_the_pairs(bench: Command, made: Path, option: tuple[str, str]) -> None:
    done = bench(*SMALL, *option, "--json")
    (record,) = json.loads(done.out)["verifications"]
    assert record["pairs_digest"] != read(made)[0].pairs_digest


@pytest.mark.slow
def test_speed_and_clustering_are_measured_when_asked(bench: Command) -> None:
    data = ("--dataset", "synthetic:people=26,photos-each=10", "--pairs", "40")
    done = bench("verify", "synth-ir", *data, "--device", "cpu", "--speed", "--clustering", "--json")
    assert done.status == 0, done.err
    (record,) = json.loads(done.out)["verifications"]
    assert record["speed"]["photos_per_second"] > 0
    assert record["speed"]["hardware"]
    assert "torch" in record["speed"]["runtime"]
    clean = record["clustering"]
    assert {"cfr", "bcubed_f"} <= set(clean["metrics"])
    run = bench(
        *("run", "--defense", "none", "--attacker", "dbscan", "--encoder", "synth-ir", "--device", "cpu"),
        *("--dataset", "synthetic:people=26,photos-each=10", "--json"),
    )
    (cell,) = json.loads(run.out)["cells"]
    assert clean["cell"] == cell["cell"]
    assert clean["metrics"]["cfr"] == cell["metrics"]["cfr"]


def test_own_photos_without_any_face_are_counted_and_named_nowhere(bench: Command, tmp_path: Path) -> None:
    for i in range(20):
        for j in range(2):
            path = tmp_path / "album" / f"Zoe {i:02d}" / f"summer{j}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            PIL.Image.new("RGB", (48, 48), (12 * i, 99 * j, 40)).save(path)
    done = bench(
        "verify", "synth-ir", "--dataset", f"folder:{tmp_path / 'album'}", "--device", "cpu", "--json"
    )
    assert done.status == 0, done.err
    assert not [word for word in ("Zoe", "summer", "album", str(tmp_path)) if word in done.out]
    (record,) = json.loads(done.out)["verifications"]
    # two people a fold with two photos each: 1 genuine pair a person, 4 impostor pairs a fold
    counts = record["counts"]
    assert (counts["genuine"], counts["impostor"], counts["pairs_without_face"]) == (20, 40, 60)
    assert (counts["photos"], counts["not_detected"]) == (40, 40)
    # refused pairs: right for all impostors, wrong for all genuine ones, and nothing to tell them apart by
    assert record["metrics"]["accuracy"]["value"] == pytest.approx(40 / 60)
    assert record["metrics"]["auc"]["value"] == 0.5
    assert record["metrics"]["auc_detected"]["value"] is None
    assert record["flags"] == [
        {"code": "weak_encoder", "reason": "AUC below 0.95 on this data (not measurable)"}
    ]


def test_all_are_the_encoders_that_are_here(bench: Command, tmp_path: Path) -> None:
    done = bench(
        *("verify", "--all", "--dataset", DATA, "--device", "cpu", "--pairs", "20", "--json"),
        BENCH_REAL_DATA=None,
    )
    assert done.status == 0, done.err
    names = [record["encoder"]["name"] for record in json.loads(done.out)["verifications"]]
    assert sorted(names) == [*HERE, "synth-inc", "synth-ir", "synth-vit"]


@pytest.mark.parametrize("asked", [("--all",), ("synth-inc", "synth-ir", "synth-vit")])
def test_bad_encoders_are_told_and_the_others_are_verified(
    asked: tuple[str, ...], bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # one file of weights is altered, and one network has no embedding of the photos
    (tmp_path / "real" / "weights").mkdir(parents=True)
    (tmp_path / "real" / "weights" / "mobileface_v3.onnx").write_bytes(b"altered")
    embed = networks.embed_at

    def moody(precision: str, encoder: Encoder, crops: torch.Tensor) -> torch.Tensor:
        if encoder.card.name == "synth-inc":
            raise EncoderFault("encoder 'synth-inc': 1 of 9 embeddings are zero", rows=[0])
        return embed(precision, encoder, crops)

    monkeypatch.setattr(networks, "embed_at", moody)
    done = bench(
        *("verify", *asked, "--dataset", "synthetic:people=20,photos-each=4", "--device", "cpu"),
        *("--pairs", "20", "--json", "--clustering", "--out", tmp_path / "out"),
        BENCH_REAL_DATA=tmp_path / "real",
        BENCH_HOME=tmp_path / "home",
    )
    assert done.status == 2, done.err
    records = json.loads(done.out)["verifications"]
    others = HERE if "--all" in asked else []
    assert sorted(record["encoder"]["name"] for record in records) == [*others, "synth-ir", "synth-vit"]
    assert len(read(tmp_path / "out")) == len(others) + 2
    told = done.told()
    if "--all" in asked:
        altered, *told = told
        assert "mobileface_v3.onnx is altered or damaged" in altered
    digest = r"photo [0-9a-f]{64} \(photos of pairs\)"
    line, clustering = told
    assert "people" in clustering  # too few for a run, and the figures of pairs are kept
    assert re.fullmatch(rf"bench: encoder 'synth-inc': 1 of 9 embeddings are zero: {digest}.*", line)


@pytest.fixture
def lfw(tmp_path: Path) -> Iterator[Path]:
    """A real-data folder with three people, and a list of pairs that is damaged."""
    for name in ("Ann_B", "Cem_D", "Eve_F"):
        folder = tmp_path / "real" / "lfw" / name
        folder.mkdir(parents=True)
        for n in (1, 2):
            (folder / f"{name}_{n:04d}.jpg").write_bytes(f"no photo {name} {n}".encode())
    (tmp_path / "real" / "meta").mkdir()
    (tmp_path / "real" / "meta" / "pairs.txt").write_text("<!doctype html>")
    yield tmp_path / "real"


MISTAKES = {
    ("synth-irr",): "no encoder 'synth-irr'. Did you mean 'synth-ir'? 'bench list encoders'",
    (): "name the encoders to verify, or --all",
    ("synth-ir", "--all"): "not both",
    ("synth-ir", "--dataset", "lwf"): "no dataset 'lwf'. Did you mean 'lfw'?",
    ("synth-ir", "--dataset", "synthetic:people=19"): "'synthetic' has 19 people, 19 of them with two photos",
    ("synth-ir", "--dataset", "synthetic:photos-each=1"): "0 of them with two photos",
    ("synth-ir", "--pairs", "19"): "--pairs 19 is too small",
    ("synth-ir", "--seed", "-1"): "--seed -1 is too small",
    ("synth-ir", "--device", "gpu"): "no device 'gpu'",
    ("synth-ir", "--pairs", "many"): "--pairs",
    ("facenet-casia",): "casia-webface.pt",
}


@pytest.mark.parametrize("line", MISTAKES, ids=" ".join)
def test_a_mistake_is_one_line(bench: Command, line: tuple[str, ...]) -> None:
    assert MISTAKES[line] in bench("verify", *line, BENCH_REAL_DATA=None).one_line()


def test_a_damaged_list_of_pairs_is_one_line(bench: Command, lfw: Path) -> None:
    said = bench("verify", "synth-ir", "--dataset", "lfw", BENCH_REAL_DATA=lfw).one_line()
    assert "pairs.txt is not LFW's list of pairs: line 1" in said


def test_too_few_people_in_a_folder_are_one_line(bench: Command, lfw: Path) -> None:
    (lfw / "meta" / "pairs.txt").unlink()
    said = bench("verify", "synth-ir", "--dataset", "lfw", BENCH_REAL_DATA=lfw).one_line()
    assert "data set 'lfw' has 3 people" in said


def test_a_folder_that_cannot_be_written_to_is_one_line(bench: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = bench(*SMALL, "--out", tmp_path / "file", BENCH_HOME=tmp_path / "home")
    assert "cannot write to" in done.one_line()
    assert not (tmp_path / "home").exists()  # refused before anything is computed


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "does not hold"),
        ('{"schema_version": 9, "verifications": []}', "of schema 9"),
        ("[]", "does not"),
    ],
)
def test_damaged_documents_are_refused(tmp_path: Path, text: str, told: str) -> None:
    from bench.errors import UserError

    (tmp_path / "verification.json").write_text(text)
    with pytest.raises(UserError, match=told):
        read(tmp_path)
    with pytest.raises(UserError, match="no verification records"):
        read(tmp_path / "elsewhere")
