"""Whatever the user got wrong is one line: what was asked, where it was looked for, what to type."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from bench import registry
from bench.encoders.families import synth
from bench.types import PluginCard

Command = Callable[..., Any]

NAMES = {
    ("--defense", "nois"): "no defense 'nois'. Did you mean 'noise'? 'bench list defenses'",
    ("--attacker", "dbscam"): "no attacker 'dbscam'. Did you mean 'dbscan'? 'bench list attackers'",
    ("--dataset", "synthetik"): "no dataset 'synthetik'. Did you mean 'synthetic'? 'bench list datasets'",
    ("--encoder", "mobileface-v3"): "no encoder 'mobileface-v3'. Did you mean 'mobileface_v3'?",
    ("--detector", "yunett"): "no detector 'yunett'. Did you mean 'yunet'? 'bench list detectors'",
    ("--scenario", "introducd"): "no scenario 'introducd'. Did you mean 'introduced'?",
    ("--channel", "jpg:75"): "no channel 'jpg:75'. Did you mean 'jpeg:75'?",
    ("--defense", "noise:knd=sign"): "defense 'noise' has no parameter 'knd=sign'; it has: kind",
    (
        "--attacker",
        "dbscan:eps=far",
    ): "parameter eps='far' of Dbscan takes a number or none. Without it, it is none",
    ("--attacker", "dbscan:eps"): "attacker 'dbscan' has no parameter 'eps'; it has: eps",
    ("--dataset", "synthetic:hardnes=1"): "dataset 'synthetic' has no parameter 'hardnes=1'",
    ("--dataset", "synthetic:people=0"): "people=0",
    ("--dataset", "synthetic:people=many"): "people='many'",
}
NUMBERS = {
    ("--budget", "0"): "budget '0'",
    ("--budget", "-1"): "budget '-1'",
    ("--budget", "linf:0"): "above 0 and at most 255",
    ("--budget", "linf:-1"): "above 0 and at most 255",
    ("--budget", "linf:0.4"): "changes no 8-bit value",
    ("--budget", "linf:nan"): "above 0 and at most 255",
    ("--budget", "linf:256"): "above 0 and at most 255",
    ("--budget", "linf:abc"): "'abc' is not a number",
    ("--budget", "ssim:2"): "budget 'ssim:2' is out of range; it takes X above 0 and below 1. Try ssim:0.95.",
    ("--budget", "dssim:0.6"): "it takes X above 0 and at most 0.5. Try dssim:0.004.",
    ("--budget", "lpips:0"): "it takes X above 0. Try lpips:0.05.",
    ("--budget", "l2:3"): "is not one of linf:N, dssim:X, ssim:X, lpips:X or unbounded",
    ("--channel", "jpeg:101"): "1 to 100",
    ("--channel", "jpeg"): "1 to 100",
    ("--users", "0"): "--users 0 is not a whole number of at least 1. Try --users 20.",
    ("--users", "-3"): "--users -3 is not a whole number of at least 1",
    ("--users", "99"): "12 people",
    ("--users", "x"): "--users",
    ("--photos", "2"): "--photos 2 is not a whole number of at least 3",
    ("--photos", "7"): "0 people with 7 photos",
    ("--background", "99"): "99 background people",
    ("--seed", "-1"): "--seed -1",
    ("--device", "gpu"): "no device 'gpu'",
    ("--device", "cuda:x"): "no device 'cuda:x'",
    ("--attacker", "knn"): "'knn' is an identifier, and scenario 'introduced' needs a clusterer",
    ("--no-such-option", "1"): "--no-such-option",
}


def line(command: Command, small: tuple[str, ...], *more: str | Path, **variables: Any) -> str:
    base = ["run", "--defense", "none", "--attacker", "dbscan", *small]
    if more and more[0] in ("--defense", "--attacker", "--encoder"):
        # a second one would be a second axis
        at = base.index(str(more[0]))
        del base[at : at + 2]
    said: str = command(*base, *more, **variables).one_line()
    return said


@pytest.mark.parametrize(("option", "value"), [*NAMES, *NUMBERS])
def test_a_mistaken_value(bench: Command, small: tuple[str, ...], option: str, value: str) -> None:
    assert (NAMES | NUMBERS)[option, value] in line(bench, small, option, value)


@pytest.mark.parametrize("defense", ["pgd", "advmask", "advmask-universal"])
def test_a_budget_that_a_defense_does_not_keep(bench: Command, small: tuple[str, ...], defense: str) -> None:
    said = line(bench, small, "--defense", defense, "--budget", "dssim:0.004")
    assert f"defense '{defense}' keeps linf:N, not dssim:0.004. Try --budget linf:8." in said


def test_a_defense_that_keeps_no_l_infinity_budget(
    bench: Command, small: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = PluginCard("keeps likeness alone", "control", budgets=("dssim", "ssim"))
    monkeypatch.setattr(registry.load("defenses", "blur"), "card", card)
    said = line(bench, small, "--defense", "blur", "--budget", "linf:8")
    assert "defense 'blur' keeps dssim:X or ssim:X, not linf:8. Try --budget dssim:0.004." in said


def test_a_budget_of_lpips_without_weights(bench: Command, small: tuple[str, ...]) -> None:
    said = line(bench, small, "--budget", "lpips:0.05", BENCH_REAL_DATA=None)
    assert "needs lpips_alex.safetensors, which is not in" in said
    assert "try --budget dssim:0.004" in said


def test_a_defense_that_measures_lpips_without_weights(bench: Command, small: tuple[str, ...]) -> None:
    said = line(bench, small, "--defense", "lowkey:likeness=lpips", BENCH_REAL_DATA=None)
    assert "defense 'lowkey' with LPIPS needs lpips_alex.safetensors, which is not in" in said
    said = line(bench, small, "--defense", "lowkey:likeness=psnr")
    assert "no likeness 'psnr'. Try lowkey:likeness=ms-ssim or likeness=lpips" in said


def test_a_detector_without_its_file(bench: Command, small: tuple[str, ...]) -> None:
    said = line(bench, small, "--detector", "yunet", BENCH_REAL_DATA=None)
    assert "detector 'yunet': no yunet_n_dynamic.onnx in " in said


def test_a_file_of_lpips_that_is_none(bench: Command, small: tuple[str, ...], copied_home: Path) -> None:
    (copied_home / "weights").mkdir(exist_ok=True)
    (copied_home / "weights" / "lpips_alex.safetensors").write_bytes(b"not a safetensors file, by any means")
    said = line(bench, small, "--budget", "lpips:0.05", BENCH_HOME=copied_home, BENCH_REAL_DATA=None)
    assert "cannot be read as safetensors" in said


def test_an_unknown_surrogate(bench: Command, small: tuple[str, ...]) -> None:
    said = line(bench, small, "--defense", "pgd", "--surrogate", "mobileface_v33+nobody")
    assert "no encoder 'mobileface_v33'. Did you mean 'mobileface_v3'?" in said


def test_an_unknown_surrogate_that_nobody_would_use(bench: Command, small: tuple[str, ...]) -> None:
    assert "no encoder 'synth-xr'" in line(bench, small, "--surrogate", "synth-xr")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_where_there_is_none(bench: Command, small: tuple[str, ...]) -> None:
    said = line(bench, small, "--device", "cuda")
    assert "device 'cuda'" in said
    assert "--device cpu" in said


def test_the_same_in_a_process_of_its_own(process: Command, small: tuple[str, ...]) -> None:
    assert "Did you mean 'noise'?" in line(process, small, "--defense", "nois")
    assert "--attacker" in process("run", "--defense", "none").one_line()


def test_no_real_data_where_it_should_be(bench: Command, small: tuple[str, ...], tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert f"BENCH_REAL_DATA is '{missing}'" in line(bench, small, BENCH_REAL_DATA=missing)


@pytest.mark.parametrize("where", ["below a file", "read-only"])
def test_a_home_that_cannot_be_written(
    bench: Command, small: tuple[str, ...], tmp_path: Path, where: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    home = tmp_path / "file" / "home" if where == "below a file" else Path("/proc/home")
    said = line(bench, small, BENCH_HOME=home)
    assert str(home) in said
    assert "BENCH_HOME" in said


def test_an_out_that_cannot_be_written(bench: Command, small: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    base = ("run", "--defense", "noise", "--attacker", "dbscan", *small)
    for option, name in (("--out", "out"), ("--preview", "preview.png")):
        said = bench(*base, option, tmp_path / "file" / name, BENCH_HOME=tmp_path / "home").one_line()
        assert str(tmp_path / "file") in said
        assert f"Move the file that is in the way, or choose another {option}" in said
        assert not (tmp_path / "home").exists()  # refused before anything is computed


def test_a_preview_of_nothing(bench: Command, small: tuple[str, ...], tmp_path: Path) -> None:
    base = ("run", "--defense", "none", "--attacker", "dbscan", *small)
    done = bench(*base, "--preview", tmp_path / "preview.png")
    assert done.status == 2
    (line,) = done.told()
    assert "nothing to show" in line
    assert "CFR" in done.out  # the board is there all the same


def jpeg(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.full((32, 32, 3), len(path.name) + sum(path.name.encode()) % 200, np.uint8)
    PIL.Image.fromarray(grey).save(path, comment=path.name)


def test_a_folder_without_photos(bench: Command, small: tuple[str, ...], real_folder: Path) -> None:
    said = line(bench, small, "--dataset", "lfw", BENCH_REAL_DATA=real_folder)
    assert str(real_folder / "lfw") in said
    assert "BENCH_REAL_DATA" in said
    (real_folder / "lfw" / "Ann" / "notes.txt").parent.mkdir()
    (real_folder / "lfw" / "Ann" / "notes.txt").write_text("no photo")
    assert "no photos" in line(bench, small, "--dataset", "lfw", BENCH_REAL_DATA=real_folder)


def test_one_photo_per_person(bench: Command, small: tuple[str, ...], real_folder: Path) -> None:
    for i in range(20):
        jpeg(real_folder / "lfw" / f"P{i}" / f"P{i}_0001.jpg")
    said = line(bench, small, "--dataset", "lfw", BENCH_REAL_DATA=real_folder)
    assert "0 people with 4 photos" in said
    assert "--photos" in said


def test_a_dataset_of_files_needs_an_encoder_by_name(bench: Command, real_folder: Path) -> None:
    for i in range(20):
        for j in range(4):
            jpeg(real_folder / "lfw" / f"P{i}" / f"P{i}_{j:04d}.jpg")
    base = ("run", "--defense", "none", "--attacker", "dbscan", "--dataset", "lfw", "--users", "2")
    said = bench(*base, "--photos", "4", BENCH_REAL_DATA=real_folder).one_line()
    assert "--encoder" in said


@pytest.fixture
def other_weights(real_folder: Path) -> Path:
    (real_folder / "weights").unlink(missing_ok=True) if (real_folder / "weights").is_symlink() else None
    (real_folder / "weights").mkdir(exist_ok=True)
    return real_folder


def test_weights_that_are_missing(bench: Command, small: tuple[str, ...], other_weights: Path) -> None:
    said = line(bench, small, "--encoder", "mfn_espdl", BENCH_REAL_DATA=other_weights)
    assert "mfn_espdl.onnx" in said
    assert str(other_weights / "weights") in said


def test_weights_that_were_altered(bench: Command, small: tuple[str, ...], other_weights: Path) -> None:
    (other_weights / "weights" / "mfn_espdl.onnx").write_bytes(b"something else")
    said = line(bench, small, "--encoder", "mfn_espdl", BENCH_REAL_DATA=other_weights)
    assert len(set(re.findall(r"[0-9a-f]{64}", said))) == 2  # what it is, what it should be


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_built_in_weights_that_are_not_what_they_were(
    bench: Command, encoder: str, small: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:  # fmt: skip
    folder = tmp_path / "weights"
    shutil.copytree(synth.FOLDER, folder)
    path = folder / f"{encoder}.safetensors"
    if damage == "missing":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    monkeypatch.setattr(synth, "FOLDER", folder)
    said = line(bench, small, "--seed", "5")  # other people: something has to be embedded
    assert str(path) in said
    assert len(set(re.findall(r"[0-9a-f]{64}", said))) == (2 if damage == "altered" else 1)


def test_a_download_that_is_not_offered(bench: Command) -> None:
    assert "no download 'nothing'" in bench("fetch", "nothing").one_line()
    assert "'lfw'" in bench("fetch", "lf").one_line()
    assert "mfn_espdl.onnx" in bench("fetch", "mfn_espdl").one_line()


def test_a_kind_that_is_not_listed(bench: Command) -> None:
    assert "Did you mean 'defenses'?" in bench("list", "defense").one_line()


@pytest.mark.parametrize(
    "content",
    [None, "", "{", "[]", '"text"', "null", '{"cells": []}', '{"schema_version": 99, "cells": []}',
     '{"schema_version": 1}', '{"schema_version": 1, "cells": [{}]}', '{"schema_version": 1, "cells": 5}'],
)  # fmt: skip
def test_records_that_are_none(bench: Command, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "records.json").write_text(content)
    assert str(tmp_path) in bench("board", tmp_path).one_line()


def test_a_board_that_cannot_be_written(bench: Command, tmp_path: Path) -> None:
    (tmp_path / "records.json").write_text('{"schema_version": 1, "cells": []}')
    said = bench("board", tmp_path, "--format", "md", "--out", tmp_path / "records.json" / "b.md").one_line()
    assert "--out" in said


@pytest.mark.parametrize("option", [("--pictures",), ("--documentation", "index.html")])
def test_what_only_a_site_can_have(bench: Command, tmp_path: Path, option: tuple[str, ...]) -> None:
    (tmp_path / "records.json").write_text('{"schema_version": 1, "cells": []}')
    said = bench("board", tmp_path, "--format", "md", *option).one_line()
    assert f"{option[0]} is for a site of pages. Type --format html --out site, too." in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--defense", "advmask:steps=0", "--attacker", "dbscan"), "steps=0"),
        (("--defense", "noise", "--budget", "unbounded", "--attacker", "dbscan"), "linf:8"),
        (("--defense", "none", "--defense", "blur:sigma=0", "--attacker", "dbscan"), "sigma"),
        (("--scenario", "linked", "--labelled", "2", "--defense", "none", "--attacker", "knn:k=0"), "k=1"),
    ],
)
def test_a_parameter_out_of_range_is_refused_before_anything_is_computed(
    monkeypatch: pytest.MonkeyPatch,
    bench: Command,
    small: tuple[str, ...],
    options: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.delattr("bench.experiment.pipeline.Pipeline.run")
    assert says in bench("run", *small, *options).one_line()
