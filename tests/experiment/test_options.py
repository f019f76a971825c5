"""Every option of `bench run` is part of the cell's digest, or on a short list of those that are not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import typer.main

import bench.experiment.session
from bench.cli import app, main
from bench.encoders import READY, availability
from bench.errors import UserError
from bench.faces.finder import detector_parameters
from bench.plan.axes import AXES, COMMAND
from bench.plan.cells import DEFAULTS_NOT_IN_DIGEST
from bench.plan.doors import COMMAND_LINE
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.store.folders import folders
from bench.types import Catalogue

pytestmark = pytest.mark.usefixtures("every_detector")

NON_SEMANTIC = {"suite", "out", "preview", "save_cloaks", "json", "device", "engine"}
"""Where results go, and where and by whom they are computed. The device is in the key of cached results."""

BASE = {
    "defense": "noise",
    "attacker": "dbscan",
    "dataset": "synthetic:people=40",
    "scenario": "linked",
    "budget": "linf:8",
    "channel": "none",
    "users": "3",
    "photos": "4",
    "labelled": "2",
    "background": "2",
    "background_photos": "4",
    "calibration": "5",
    "seed": "0",
    "precision": "fp32",
    "dose": "1.0",
    "level": "oblivious",
    "adaptation": "none",
    "detector": "own",
    "second_step": "none",
    "cloak_detector": "none",
    "distractors": "0",
    "draws": "1",
}
OTHER = {
    "defense": "pixelate",
    "attacker": "knn",
    "dataset": "synthetic:people=40,hardness=0.5",
    "scenario": "introduced",
    "budget": "linf:7",
    "channel": "jpeg:75",
    "users": "4",
    "photos": "5",
    "labelled": "3",
    "background": "3",
    "background_photos": "3",
    "calibration": "6",
    "seed": "1",
    "precision": "bf16",
    "dose": "0.5",
    "level": "adaptive",
    "adaptation": "views",
    "detector": "yunet",
    "second_step": "assign",
    "distractors": "50",
}
REQUIRED_OR_SMALL = {
    "defense",
    "attacker",
    "dataset",
    "scenario",
    "users",
    "photos",
    "labelled",
    "background",
    "background_photos",
    "calibration",
}
"""Options of `BASE` that are not at their default there."""
PARAMETERS = {"defense": "noise:kind=uniform", "attacker": "dbscan:min-samples=4"}
"""One parameter of a plug-in given otherwise."""


SpecOf = Callable[[dict[str, str]], RunSpec]


class Asked(Exception):  # noqa: N818 - no error
    """Carries the RunSpec out of the command line."""


def options() -> set[str]:
    group: Any = typer.main.get_command(app)
    return {parameter.name for parameter in group.commands["run"].params} - {"help"}


@pytest.fixture
def spec_of(monkeypatch: pytest.MonkeyPatch) -> SpecOf:
    def stop(spec: RunSpec, *_: object, **__: object) -> None:
        raise Asked(spec)

    monkeypatch.setattr(bench.experiment.session, "execute", stop)

    def read(given: dict[str, str]) -> RunSpec:
        line = [text for name, value in given.items() for text in (f"--{COMMAND_LINE.named(name)}", value)]
        monkeypatch.setattr(sys, "argv", ["bench", "run", *line])
        with pytest.raises(Asked) as caught:
            main()
        spec: RunSpec = caught.value.args[0]
        return spec

    return read


def digests(spec: RunSpec) -> set[str]:
    return {cell.digest for cell in resolve(spec, folders(), detector_parameters(), "cpu").cells}


@pytest.fixture(scope="module")
def two_encoders() -> tuple[str, str]:
    ready = [card.name for card, state in availability(folders()) if state == READY]
    if len(ready) < 2:
        pytest.skip("fewer than two encoders are here")
    return ready[-1], ready[-2]


def test_every_option_is_classified() -> None:
    assert options() == {*AXES, *COMMAND}
    assert {name for name, row in (AXES | COMMAND).items() if not row.semantic} == NON_SEMANTIC


# an encoder and a surrogate need a second one, and a draw adds to the cells: each has a test of its own below
@pytest.mark.parametrize("name", sorted(AXES.keys() - NON_SEMANTIC - {"encoder", "surrogate", "draws"}))
def test_an_option_changes_the_digest(name: str, spec_of: SpecOf, two_encoders: tuple[str, str]) -> None:
    base = BASE | {"encoder": two_encoders[0]}
    other = OTHER.get(name, str(AXES[name].example[0]))
    assert not digests(spec_of(base)) & digests(spec_of(base | {name: other}))


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_parameter_of_a_plugin_changes_the_digest(
    name: str, spec_of: SpecOf, two_encoders: tuple[str, str]
) -> None:
    base = BASE | {"encoder": two_encoders[0]}
    assert not digests(spec_of(base)) & digests(spec_of(base | {name: PARAMETERS[name]}))


def test_encoder_and_surrogate_change_the_digest(spec_of: SpecOf, two_encoders: tuple[str, str]) -> None:
    one, two = two_encoders
    base = BASE | {"defense": "pgd", "encoder": one, "surrogate": one}
    found = [
        digests(spec_of(base)),
        digests(spec_of(base | {"encoder": two})),
        digests(spec_of(base | {"surrogate": two})),
        digests(spec_of(base | {"surrogate": f"{one}+{two}"})),
    ]
    assert len(set.union(*found)) == sum(map(len, found)) == 4


def test_another_draw_is_another_cell(spec_of: SpecOf, two_encoders: tuple[str, str]) -> None:
    base = BASE | {"encoder": two_encoders[0]}
    one, three = digests(spec_of(base)), digests(spec_of(base | {"draws": "3"}))
    assert (len(one), len(three)) == (1, 3)
    assert one < three


@pytest.mark.parametrize("ensemble", ["{}+{}", "mean:{}+{}"])
def test_an_ensemble_is_another_encoder(
    spec_of: SpecOf, two_encoders: tuple[str, str], ensemble: str
) -> None:
    base = BASE | {"encoder": two_encoders[0]}
    assert not digests(spec_of(base)) & digests(spec_of(base | {"encoder": ensemble.format(*two_encoders)}))


def test_published_digests_leave_out_what_they_left_out() -> None:
    # an option that moved away from here, or to another value, would give old cells new digests
    published = {
        "precision": "fp32",
        "dose": 1.0,
        "level": "oblivious",
        "adaptation": {"name": "none", "parameters": {}},
        "draw": 0,
        "distractors": 0,
    }
    assert {name: DEFAULTS_NOT_IN_DIGEST[name] for name in published} == published


def test_a_default_is_the_same_as_its_value_given(spec_of: SpecOf, two_encoders: tuple[str, str]) -> None:
    base = BASE | {"encoder": two_encoders[0]}
    for name in BASE.keys() - REQUIRED_OR_SMALL:
        left_out = {key: value for key, value in base.items() if key != name}
        assert digests(spec_of(base)) == digests(spec_of(left_out))


def test_options_that_are_not_semantic_change_nothing(spec_of: SpecOf, two_encoders: tuple[str, str]) -> None:
    base = BASE | {"encoder": two_encoders[0]}
    more = base | {"out": "somewhere", "preview": "somewhere.png", "device": "cpu"}
    assert digests(spec_of(base)) == digests(spec_of(more))


def test_repeated_options_make_a_matrix_without_repeats(small: RunSpec) -> None:
    wide = replace(
        small,
        defenses=("none", "noise", "none"),
        attackers=("dbscan", "dbscan:min-samples=2"),
        budgets=("linf:4", "linf:8"),
        channels=("none", "jpeg:75"),
    )
    assert len(digests(wide)) == 2 * 2 * 2 * 2


def test_a_surrogate_is_no_axis_for_a_defense_without(small: RunSpec, two_encoders: tuple[str, str]) -> None:
    spec = replace(small, defenses=("none", "pgd"), surrogates=two_encoders)
    assert len(digests(spec)) == 1 + 2


def test_a_data_set_of_other_content_has_other_cells(small: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    first = digests(small)
    data = type(resolve(small, folders(), detector_parameters(), "cpu").data)
    monkeypatch.setattr(data, "digest", lambda self, photo: f"other content of {photo}")
    assert not first & digests(small)


def test_a_data_set_with_other_boxes_has_other_cells(small: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    data = type(resolve(small, folders(), detector_parameters(), "cpu").data)
    stated: Any = data.catalogue

    def boxed(x0: float) -> set[str]:
        def catalogue(self: object) -> Catalogue:
            found: Catalogue = stated(self)
            return replace(found, boxes=dict.fromkeys(found.photos, (x0, 0.0, 99.0, 99.0)))

        monkeypatch.setattr(data, "catalogue", catalogue)
        return digests(small)

    without = digests(small)
    assert len(without | boxed(0.0) | boxed(1.0)) == 3 * len(without)


def test_another_detector_has_other_cells(small: RunSpec) -> None:
    def with_detector(**changes: Any) -> set[str]:
        detector = detector_parameters() | changes
        return {cell.digest for cell in resolve(small, folders(), detector, "cpu").cells}

    assert with_detector() != with_detector(min_face=20)


def test_attackers_that_need_names_do_not_fit_a_scenario_without(small: RunSpec) -> None:
    with pytest.raises(UserError, match="linked"):
        digests(replace(small, attackers=("knn",)))
