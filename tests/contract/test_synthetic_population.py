"""Nobody that an encoder was trained, selected or tested on can be met in a benchmark."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from bench.datasets._synthetic.populations import BENCHMARK, POPULATIONS, numbers
from bench.datasets.synthetic import PLUGIN, Synthetic

from bench import encoders, registry
from bench.errors import UserError
from bench.types import Folders

NOWHERE = Folders(home="/nowhere")
CARDS = sorted((Path(encoders.__file__).parent / "weights").glob("*.json"))
ROLES = {"training_identities": "train-", "validation_identities": "validation", "test_identities": "test"}


@pytest.mark.parametrize(("first", "second"), list(combinations(sorted(POPULATIONS), 2)))
def test_populations_share_nobody(first: str, second: str) -> None:
    a, b = POPULATIONS[first], POPULATIONS[second]
    assert max(a.start, b.start) >= min(a.stop, b.stop)


def test_the_command_line_knows_the_data_set_and_draws_the_benchmark_population() -> None:
    assert registry.load("datasets", "synthetic") is PLUGIN is Synthetic
    assert Synthetic().population == BENCHMARK


@pytest.mark.parametrize("people", [1, 200, 5000])
def test_the_catalogue_lies_in_the_benchmark_range(people: int) -> None:
    catalogue = Synthetic(people=people, photos_each=2).open(NOWHERE).catalogue()
    drawn = {int(person.removeprefix("p")) for person in catalogue.identities}
    assert len(drawn) == people
    assert drawn <= set(POPULATIONS[BENCHMARK])


@pytest.mark.parametrize("population", sorted(set(POPULATIONS) - {BENCHMARK}))
def test_no_other_population_can_be_opened(population: str) -> None:
    with pytest.raises(UserError, match="kept for training encoders"):
        Synthetic(population=population).open(NOWHERE)


@pytest.mark.parametrize("population", sorted(set(POPULATIONS) - {BENCHMARK}))
def test_nor_drawn_by_naming_its_photos(population: str) -> None:
    opened = Synthetic(people=len(POPULATIONS[BENCHMARK])).open(NOWHERE)
    with pytest.raises(UserError, match="has no photo"):
        opened.read([f"p{POPULATIONS[population].start}/00"])


def test_a_population_gives_no_more_people_than_it_has() -> None:
    assert numbers("train-ir", 3) == range(1_000_000, 1_000_003)
    with pytest.raises(ValueError, match="it has 1 to 100000"):
        numbers("train-ir", 100_001)


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.stem)
@pytest.mark.parametrize("role", ROLES)
def test_an_encoders_identities_lie_in_their_range_and_never_in_the_benchmarks(card: Path, role: str) -> None:
    first, last = json.loads(card.read_text("utf-8"))[role]
    assert first <= last
    homes = [name for name, numbers_of in POPULATIONS.items() if first in numbers_of and last in numbers_of]
    assert len(homes) == 1
    assert homes[0].startswith(ROLES[role])
    everyone = POPULATIONS[BENCHMARK]
    assert last < everyone.start or first >= everyone.stop
