"""The pages against what there is: examples run, commands parse, names exist, links lead somewhere."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import typer.main

import bench
from bench import channels, registry
from bench import encoders as encoder_room
from bench.attack import judge
from bench.attack.corpus import Corpus
from bench.cli import app
from bench.encoders.families import facenet, insightface_packs, onnx_file, synth
from bench.encoders.families.onnx_file.encoder import OnnxEncoder
from bench.experiment.tables import MEASURES
from bench.metrics.clustering import bcubed_objective
from bench.plan.datasets import chosen_dataset
from bench.plan.resolve import chosen_defense
from bench.plan.split import Split
from bench.protocols import Descent, Ground, Kit
from bench.records.record import CellRecord
from bench.training.card import ARCHITECTURES
from bench.types import ARCFACE_CROP, Album, Budget, EncoderCard, Face, FlagCode, Folders, Gallery, Outcome

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for folder in (".", "docs", "design", "results") for path in (ROOT / folder).glob("*.md"))
COMMANDS: Any = typer.main.get_command(app)
PLUGINS: dict[str, Callable[[str], object]] = {
    "defense": chosen_defense,
    "attacker": partial(registry.make, "attackers"),
    "dataset": chosen_dataset,
}
"""Option of `bench run` -> whose names it takes."""
TAUGHT = {"checkerboard", "chained", "nearest-mean", "albums", "my-net", "command"}
"""Names that a page makes up to show how to add them."""

BROUGHT = (facenet.FAMILY, insightface_packs.FAMILY, onnx_file.FAMILY)
REAL = {card.name: (family, card) for family in BROUGHT for card in family.stated}
RNG = np.random.Generator(np.random.Philox(7))


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a module of the nth Python block of a page."""

    def load(page: str, number: int) -> ModuleType:
        blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.S | re.M)
        module = ModuleType(f"example_{number}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(blocks[number], f"{page}[{number}]", "exec"), module.__dict__)
        if hasattr(module, "PLUGIN"):
            assert is_dataclass(module.PLUGIN)
            assert "card" not in {f.name for f in fields(module.PLUGIN)}
        return module

    return load


def people(count: int, photos: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit embeddings in tight groups, and whose they are."""
    centres = np.repeat(np.eye(count, 16, dtype=np.float32), photos, 0)
    rows = centres + 0.05 * RNG.standard_normal(centres.shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), np.repeat(np.arange(count), photos)


def album() -> Album:
    photos = tuple(RNG.integers(0, 256, (24, 20, 3), np.uint8) for _ in range(3))
    return Album(photos, (None,) * 3, ("a", "b", "c"))


def kit_with(engine: Any) -> Kit:
    """A kit without surrogates, and with as much of an engine as the example uses."""
    return Kit(Budget.parse("linf:8"), 0, (), Album((), (), ()), engine, "cpu")


def test_a_defense_spends_its_budget_and_no_more(example: Any) -> None:
    defense = example("add-a-defense.md", 0).PLUGIN()
    given = album()
    before = [p.copy() for p in given.photos]
    kit = kit_with(None)
    [released] = defense.cloak([given], kit)
    for original, copy, cloak in zip(given.photos, before, released, strict=True):
        assert np.array_equal(original, copy)
        assert (cloak.shape, cloak.dtype) == (original.shape, np.uint8)
        assert np.abs(cloak.astype(int) - original).max() == 8


def test_a_goal_falls_with_the_cosine_and_knows_when_it_is_reached(example: Any) -> None:
    defense = example("add-a-defense.md", 1).PLUGIN(enough=0.5)
    seen: dict[str, Any] = {}

    class Engine:
        def cloak(self, albums: Any, kit: Any, goal: Any, descent: Descent) -> list[list[None]]:
            seen.update(goal=goal, steps=descent.steps)
            return [[None] * len(a.photos) for a in albums]

    assert defense.cloak([album()], kit_with(Engine())) == [[None, None, None]]
    assert seen["steps"] == 20
    clean = torch.eye(3)
    ground = Ground(clean, torch.tensor([0, 0, 1]), torch.eye(3), ("a", "b", "c"), 0)
    # photo 2 is where it was, photo 0 is at a right angle to it
    loss, reached = seen["goal"](ground)(clean[[2, 1]], torch.tensor([2, 0]), clean)
    assert loss.tolist() == [1.0, 0.0]
    assert reached.tolist() == [False, True]


def test_a_defense_made_of_parts_lowers_its_cosine_within_its_budget(example: Any) -> None:
    from bench import encoders
    from bench.faces.align import matrix, warp
    from bench.metrics.perceptual import perceptual_cost
    from bench.optim.engine import CloakingEngine

    defense = example("add-a-defense.md", 2).PLUGIN(steps=6)
    budget = Budget.parse(f"{defense.card.keeps[0]}:0.01")
    encoder = encoders.load("synth-ir", Folders(home=""), "cpu")
    rng = np.random.Generator(np.random.Philox(7))  # its own: the photo is the same whichever tests run
    photo = rng.integers(0, 256, (15, 15, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    landmarks = tuple((x + 19, y + 19) for x, y in ARCFACE_CROP.template)
    user = Album((photo,), (Face((20, 20, 130, 130), landmarks, 0.9),), ("a",))
    kit = Kit(budget, 0, (encoder,), Album((), (), ()), CloakingEngine("cpu"), "cpu")
    [[released]] = defense.cloak([user], kit)
    cost = perceptual_cost(photo, released, user.faces[0])
    assert 0.008 < max(cost.whole.dssim, cost.face.dssim if cost.face else 0) <= 0.01
    maps = [matrix(user.faces[0], ARCFACE_CROP)] * 2 if user.faces[0] else []
    pixels = torch.from_numpy(np.stack([photo, released])).permute(0, 3, 1, 2).float() / 255
    before, after = encoder.embed(warp(pixels, maps, 112))
    assert float(before @ after) < 0.95


def test_a_clusterer_finds_groups_after_calibration(example: Any) -> None:
    attacker = example("add-an-attacker.md", 0).PLUGIN()
    embeddings, owners = people(4, 5)
    with pytest.raises(ValueError, match="calibrate"):
        attacker.cluster(embeddings)
    tuned = attacker.calibrated(embeddings, owners, bcubed_objective)
    lone = np.full((1, 16), -0.25, np.float32)
    labels = tuned.cluster(np.concatenate([embeddings, lone]))
    assert labels.dtype == np.int64
    assert labels[-1] == -1
    assert [len(set(labels[owners_of])) for owners_of in np.split(np.arange(20), 4)] == [1, 1, 1, 1]
    assert len(set(labels[:-1])) == 4


def test_an_identifier_ranks_the_right_person_first(example: Any) -> None:
    embeddings, owners = people(4, 5)
    attacker = example("add-an-attacker.md", 1).PLUGIN().calibrated(embeddings, owners)
    ranked = attacker.rank(embeddings, Gallery(embeddings, owners), 3)
    assert ranked.shape == (20, 3)
    assert (ranked[:, 0] == owners).all()


def test_a_dataset_opens_lists_and_reads(example: Any, tmp_path: Path) -> None:
    module = example("add-a-dataset.md", 0)
    folders = Folders(home=str(tmp_path))
    with pytest.raises(module.UserError, match="no photos"):
        module.PLUGIN().open(folders)
    for name in ("b/2.jpg", "a/1.jpg"):
        path = tmp_path / "data" / "albums" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    opened = module.PLUGIN().open(folders)
    assert (opened.catalogue().photos, opened.catalogue().identities) == (("a/1.jpg", "b/2.jpg"), ("a", "b"))
    assert opened.read(["b/2.jpg"]) == [b"b/2.jpg"]
    revision = opened.card.revision
    path.write_bytes(b"another")
    assert module.PLUGIN().open(folders).card.revision != revision


def card(dimensions: int) -> EncoderCard:
    return EncoderCard("my-net", "tiny", "", ARCFACE_CROP, dimensions, 0, "", "", "", "")


def test_an_exported_network_is_an_encoder_with_a_twin(example: Any, tmp_path: Path) -> None:
    module = example("add-an-encoder.md", 0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 8)
        )
    path = tmp_path / "my-net.onnx"
    module.export(network, 112, path)
    encoder = OnnxEncoder(card(8), path)
    crops = torch.from_numpy(RNG.random((3, 3, 112, 112), np.float32))
    embedded = encoder.embed(crops)
    with torch.no_grad():
        truth = torch.nn.functional.normalize(network(crops.flip(1) * 2 - 1))
        twin = torch.nn.functional.normalize(encoder.twin()(crops))
    assert torch.allclose(embedded, truth, atol=1e-5)
    assert torch.allclose(twin, truth, atol=1e-5)


def test_a_card_is_a_card(example: Any) -> None:
    assert isinstance(example("add-an-encoder.md", 1).CARD, EncoderCard)


def test_a_family_embeds_alike_in_any_batch(example: Any) -> None:
    encoder = example("add-an-encoder.md", 2).Squares(card(27))
    crops = torch.from_numpy(RNG.random((3, 3, 112, 112), np.float32))
    embedded = encoder.embed(crops)
    assert embedded.shape == (3, 27)
    assert torch.allclose(embedded.norm(dim=1), torch.ones(3))
    assert torch.equal(encoder.embed(crops[1:2])[0], embedded[1])
    assert torch.allclose(torch.nn.functional.normalize(encoder.twin()(crops)), embedded)


def page(path: Path | str) -> str:
    return (ROOT / path).read_text("utf-8")


def commands() -> list[Any]:
    """Every `bench …` line of the pages' code blocks, as words."""
    found = []
    for path in PAGES:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", page(path), re.S | re.M)
        shell = [text for language, text in blocks if not language and "bench " in text]
        for line in "".join(shell).replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["bench"]:
                found.append(pytest.param(words[1:], id=f"{path.name}: {' '.join(words)}"))
    return found


def table(text: str, above: str) -> list[list[str]]:
    """Cells of the first table below some text, without its head."""
    rows = re.search(r"^\|[ -]+\|.*\n((?:\|.*\n)+)", text.split(above, 1)[1], re.M)
    assert rows is not None, above
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[1].splitlines()]


def named(rows: list[list[str]], column: int = 0) -> set[str]:
    """What stands in backticks in one column."""
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row[column])}


def given(words: list[str]) -> dict[str, Any]:
    """A command's options as the command line reads them; fails where it would refuse them."""
    parsed: dict[str, Any] = COMMANDS.commands[words[0]].make_context(words[0], list(words[1:])).params
    return parsed


@pytest.mark.parametrize("words", commands())
def test_a_command_on_a_page_can_be_typed(words: list[str]) -> None:
    if not words[1:] and words[0] != "board":
        assert words[0] in COMMANDS.commands
        return
    asked = given(words)
    encoders = {*ARCHITECTURES, *REAL, *TAUGHT}
    if words[0] == "run":
        for option, made in PLUGINS.items():
            texts = asked[option] or () if option != "dataset" else [asked[option] or "synthetic"]
            for text in texts:
                assert text.partition(":")[0] in TAUGHT or made(text)
        for text in [*(asked["encoder"] or ()), *(asked["surrogate"] or ())]:
            assert all(":" in name or name in encoders for name in encoder_room.read(text).members)
        for text in asked["budget"] or ():
            Budget.parse(text)
        for text in asked["channel"] or ():
            channels.parse(text)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_verb_on_a_page_exists(path: Path) -> None:
    verbs = re.findall(r"`bench ([a-z]+)", page(path))
    assert set(verbs) <= set(COMMANDS.commands)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_link_on_a_page_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page(path)):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.M)
            assert anchor in {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}, link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_name_of_ours_on_a_page_can_be_imported(path: Path) -> None:
    for name in set(re.findall(r"`(bench(?:\.[A-Za-z_]+)+)", page(path))):
        if not name.startswith(
            ("bench.defenses", "bench.attackers", "bench.datasets")
        ):  # plug-ins, made up too
            pkgutil.resolve_name(name)


def test_the_page_on_running_has_every_option_and_no_other() -> None:
    rows = table(page("docs/running.md"), "## The options of")
    options = {name for option in COMMANDS.commands["run"].params for name in option.opts} - {"--help"}
    assert named(rows) == options
    for row in rows:
        [example] = re.findall(r"`([^`]+)`", row[5])
        name = row[0].strip("`").removeprefix("--").replace("-", "_")
        assert name in given(["run", "--defense", "none", "--attacker", "dbscan", *shlex.split(example)])


def toy(labelled: int) -> judge.Verdict:
    """A perfect clustering of two users and three others."""
    users = tuple(tuple(f"{u}{i}" for i in range(5)) for u in "ab")
    named_photos = tuple(tuple(f"{u}l{i}" for i in range(labelled)) for u in "ab")
    others = tuple((f"{u}0", f"{u}1") for u in "cde")
    corpus = Corpus.of(Split(users, named_photos, ("a", "b"), (), (), others))
    return judge.judge_clustering(corpus.owners, corpus.owners, corpus)


def toy_names(*, poisoned: bool = False) -> judge.Verdict:
    """Two users' photos, all named rightly."""
    split = Split((("a",), ("b",)), (("c",), ("d",)), ("a", "b"), (), (), ())
    corpus = Corpus.of(split, poisoned=poisoned)
    return judge.judge_identification(np.tile(np.arange(5), (2, 1)), corpus, np.ones(2, bool))


def test_the_page_on_running_names_every_field_metric_and_outcome() -> None:
    text = page("docs/running.md")
    assert named(table(text, "## The record")) == {*CellRecord.model_fields}
    metrics = {*toy(0).scores, *toy(2).scores, *toy_names().scores, *toy_names(poisoned=True).scores}
    told = set(re.findall(r"`([^`]+)`", text.split("**Metrics.**")[1].split("\n\n")[0]))
    clean = {"cfr_clean", "cfr_link_clean", "psr1_clean", "protection_rate_clean"}
    assert told - {"introduced", "linked", "poisoning"} == metrics | clean | {"encoder_auc"}
    assert named(table(text, "**Outcomes.**")) == {str(outcome) for outcome in Outcome}


@pytest.mark.slow
def test_the_example_of_the_readme_runs_and_the_tables_have_the_columns_that_are_told(
    example: Any, tmp_path: Path
) -> None:
    module = example("../README.md", 0)
    clean, darker = module.records
    assert (clean.defense.name, darker.defense.name) == ("none", "darker")
    assert (clean.status, darker.status) == ("ok", "ok")
    assert list(module.table["cfr"]) == [clean.metrics["cfr"].value, darker.metrics["cfr"].value]
    assert clean.metrics["cfr"] == clean.metrics["cfr_clean"] == darker.metrics["cfr_clean"]
    # a photo less 8 of 255: just within the default budget
    assert darker.perceptual["photo"]["linf"]["worst"] == 8
    assert FlagCode.OUT_OF_BUDGET not in {flag.code for flag in darker.flags}

    bench.run(attacker="dbscan", encoder="synth-ir", users=5, photos=5, background=10, out=tmp_path)
    text = page("docs/running.md")
    linked, names = toy(2), toy_names()
    poisoned = toy_names(poisoned=True).users
    users = {*pd.read_parquet(tmp_path / "users.parquet").columns, *linked.users, *names.users, *poisoned}
    assert named(table(text, "| `users.parquet` |")) == users
    photos = {*pd.read_parquet(tmp_path / "photos.parquet").columns, *linked.photos, *names.photos}
    assert {f"{region}_{measure}" for region in ("photo", "face") for measure in MEASURES} < photos
    assert named(table(text, "| `photos.parquet` |")) == photos


@pytest.mark.parametrize("name", REAL)
def test_the_page_on_encoders_says_what_the_cards_say(name: str) -> None:
    family, real = REAL[name]
    [row] = [line for line in page("docs/encoders.md").splitlines() if line.startswith(f"| `{real.name}` ")]
    told = (
        f"`{family.file_name(real)}`",
        f"{real.architecture}, {real.dimensions}-d",
        f"| {real.training_set or 'not stated'} |",
        f"| {real.licence} |",
    )
    assert [part for part in told if part not in row] == []


def test_the_page_on_encoders_names_every_figure_of_a_built_in_card() -> None:
    text = page("docs/encoders.md")
    built_in = {card.name: card for card in synth.cards()}
    assert named(table(text, "## Built in")) == set(built_in) == set(ARCHITECTURES)
    for name in built_in:
        card_file = json.loads((synth.FOLDER / f"{name}.json").read_text("utf-8"))
        assert named(table(text, "The card is where")) == set(card_file["measured"])


@pytest.mark.slow
def test_a_table_on_a_page_is_what_its_command_prints() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / ".ci" / "pages.py", "--check"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, f"{made.stdout}{made.stderr}: run python .ci/pages.py"
    assert made.stdout == "differ: none\n"


def test_the_page_on_performance_has_every_table_and_its_record_tells_of_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(ROOT / ".ci")
    performance, tables = (importlib.import_module(f"performance{rest}") for rest in ("", "_tables"))
    shown = set(re.findall(r"<!-- performance (.*?) -->", page("docs/performance.md")))
    assert shown == {*tables.TABLES, "gpu"}
    secret = "someone@host:/home/someone"
    stats = {"median": 2.0, "rounds": 3, "data": [2.0], "fullname": secret}
    timed = {
        "fullname": "tests/perf/test_perf_renderer.py::test_draw_photos[a]",
        "group": "draw",
        "params": None,
    }
    run: dict[str, Any] = {
        "machine_info": {"node": secret, "system": "Linux", "cpu": {"brand_raw": "Z80", "count": 1}},
        "commit_info": {"id": "abc", "project": secret, "branch": secret},
        "benchmarks": [timed | {"extra_info": {"photos": 40}, "stats": stats, "options": secret}],
    }
    record = performance.reduced([run])
    assert secret not in json.dumps(record)
    assert record["machine"] == {"processor": "Z80", "cores": 1, "system": "Linux"}
    assert record["tests"][0]["test"] == "draw_photos"
    # 40 photos in 2 seconds
    assert tables.stages(record["tests"]).splitlines()[2] == "| draw | cloakbench | 20 |"
    other = run | {"machine_info": {"cpu": {"brand_raw": "6502", "count": 1}}}
    with pytest.raises(SystemExit, match="different machines"):
        performance.reduced([run, other])
    nameless = run | {"benchmarks": [run["benchmarks"][0] | {"group": None}]}
    with pytest.raises(SystemExit, match=r"test_draw_photos\[a\] has no group"):
        performance.reduced([nameless])
    more = {"suite": "clustering", "test": "cluster", "seconds": 1.0}
    held = record | {"commits": ["old"], "tests": [*record["tests"], more]}
    held["tests"][0] = held["tests"][0] | {"seconds": 9.0}
    whole = performance.added(held, record)
    assert [test["seconds"] for test in whole["tests"]] == [1.0, 2.0] and whole["commits"] == ["abc", "old"]
    with pytest.raises(SystemExit, match="another machine"):
        performance.added(held | {"machine": {}}, record)
    assert "None" not in page("docs/performance.md")
    committed = json.loads(page("results/performance/benchmarks.json"))
    assert set(committed) == {"machine", "commits", "tests"}
    assert not re.search(r'"/|[a-z]:/|@', json.dumps(committed["tests"]))
