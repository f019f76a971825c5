"""From a spec to cells: every combination, completely resolved and digested before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

from bench import adaptations, channels, registry
from bench.errors import UserError, unknown_name
from bench.machine import devices
from bench.machine.progress import Progress, Silent
from bench.parameters import Plain, plain
from bench.plan.axes import AXES
from bench.plan.budgets import check_budget, check_keeps, lpips_weights_of
from bench.plan.cells import Cell, Plan, further_axes
from bench.plan.chosen import Chosen, FunctionDefense, UserFunction
from bench.plan.composition import composed
from bench.plan.datasets import chosen_dataset, open_chosen
from bench.plan.detectors import with_detectors
from bench.plan.encoder_axes import resolve_encoders, resolve_surrogates
from bench.plan.leaks import check_disjoint
from bench.plan.nouns import Attack, Cloaking, View
from bench.plan.rows import Of
from bench.plan.scenarios import CLOAK_DETECTORS, LEVELS, SCENARIOS, SECOND_STEPS, role, scenarios_of
from bench.plan.spec import RunSpec
from bench.plan.split import Request, Split, split
from bench.plan.tool_cloaks import UNSTATED, ToolCloaks
from bench.plan.words import either
from bench.protocols import Dataset
from bench.store.digests import digest
from bench.types import Budget, EncoderCard, Folders


def open_dataset(
    spec: RunSpec, folders: Folders, progress: Progress | None = None
) -> tuple[Chosen, Dataset, Split]:
    """Open a run's data set, and draw who plays which part in it.

    Args:
        spec: The run.
        folders: Where data sets and weights lie.
        progress: Told of photos that are looked at before a part is drawn.

    Raises:
        UserError: The data set is not here, or has too few people for its parts.
    """
    _check(spec)
    chosen = chosen_dataset(spec.dataset)
    data = open_chosen(chosen, folders, progress or Silent())
    return chosen, data, _split(spec, data, 0)


def resolve(
    spec: RunSpec,
    folders: Folders,
    publisher_detector: dict[str, Plain],
    device: str,
    progress: Progress | None = None,
) -> Plan:
    """Resolve a spec to cells.

    Args:
        spec: The matrix, by name.
        folders: Where data sets and weights lie.
        publisher_detector: Everything that decides which faces a defense is given, see
            `bench.faces.finder.detector_parameters`.
        device: The device, resolved.
        progress: Told of photos that are looked at before parts are drawn, and of cells that are planned.

    Raises:
        UserError: A name is unknown, a file is missing, a value is out of range, or two do not go together.
    """
    dataset, data, first = open_dataset(spec, folders, progress)
    splits = (first, *(_split(spec, data, draw) for draw in range(1, spec.draws)))
    encoder_axis = resolve_encoders(spec, dataset.name, folders)
    recognisers = with_detectors(encoder_axis, spec.detectors, folders)
    attackers = [Chosen(*registry.make("attackers", text)) for text in spec.attackers]
    _check_roles(spec, attackers)
    defenses = _defenses(spec.defenses)
    surrogate_axis = resolve_surrogates(spec, encoder_axis, folders)
    _check_plugins(defenses, attackers, spec.budgets)
    _check_others(defenses, first, dataset.name)
    described: dict[str, Plain] = {
        "name": dataset.name,
        "parameters": {**dataset.parameters, **data.card.resolved},
        "digest": data.card.revision,
    }
    adapted = [Chosen(*adaptations.make(text)) for text in spec.adaptations]
    precision = devices.precision(spec.precision)
    stated = [(_scenario(spec, parts), digest(split_content(parts, data))) for parts in splits]
    cells: list[Cell] = []
    for defense, budget, channel in product(defenses, spec.budgets, spec.channels):
        limit, passed = Budget.parse(budget), str(channels.parse(channel))
        judged_with = lpips_weights_of(limit, defense, folders)
        for surrogates, dose, of_cloaking in product(
            _optimised_against(defense, spec, surrogate_axis),
            spec.doses,
            _further(spec, "cloaking"),
        ):
            cloaking = Cloaking(defense, surrogates, limit, dose, spec.seed, options=of_cloaking)
            for (encoder, members, detector), adaptation, of_view, attacker in product(
                recognisers, adapted, _further(spec, "view"), attackers
            ):
                view = View(encoder, members, adaptation, detector, passed, precision, options=of_view)
                for level, crowd, of_attack, of_cell, draw in product(
                    spec.levels,
                    spec.distractors,
                    _further(spec, "attack"),
                    _further(spec, "split", "run"),
                    range(spec.draws),
                ):
                    attack = Attack(attacker, level, crowd, options=of_attack)
                    scenario, split_digest = stated[draw]
                    cell = Cell(
                        described,
                        scenario,
                        split_digest,
                        publisher_detector,
                        cloaking,
                        view,
                        attack,
                        repetition=draw,
                        lpips_weights=judged_with,
                        options=of_cell,
                    )
                    cells.append(cell)
    unique: dict[str, Cell] = {}
    with (progress or Silent()).stage("plan cells", len(cells)) as advance:
        for cell in cells:
            unique[cell.digest] = cell
            advance()
    return Plan(spec, data, splits, tuple(unique.values()), device)


MOST_CELLS = 100_000
"""Cells of one command: nobody would wait for the end of more, and every record is held in memory."""


def check_size(specs: Sequence[RunSpec]) -> None:
    """See that runs have no more cells than a command takes, before any is resolved.

    Raises:
        UserError: They have more.
    """
    cells = sum(map(_size, specs))
    if cells > MOST_CELLS:
        raise UserError(
            f"{cells:,} cells asked for, and one command takes at most {MOST_CELLS:,}. Divide the matrix: "
            "commands with other --out share all that is computed."
        )


def _size(spec: RunSpec) -> int:
    """The number of cells of a matrix, if all of its values are different."""
    axes = [getattr(spec, row.field) for row in AXES.values() if row.repeatable]
    return math.prod(len(values) or 1 for values in axes) * spec.draws


def _further(spec: RunSpec, *of: Of) -> list[tuple[tuple[str, Plain], ...]]:
    """Every combination of the options that no noun has an attribute for; one at its default is left out."""
    axes = further_axes(*of)
    values = [getattr(spec, row.field) if row.repeatable else (getattr(spec, row.field),) for row in axes]
    return [
        tuple((row.name, value) for row, value in zip(axes, chosen, strict=True) if value != row.before)
        for chosen in product(*values)
    ]


def _check_roles(spec: RunSpec, attackers: Sequence[Chosen]) -> None:
    """See that at least one attacker fits the scenario and a second step; cells of the others are skipped."""
    scenario = spec.scenario
    fitting = [kind for attacker in attackers if (kind := role(attacker.plugin)) in SCENARIOS[scenario].roles]
    if fitting and "none" not in spec.second_steps and "clusterer" not in fitting:
        raise UserError(
            f"a second step follows a clusterer, and attacker {attackers[0].name!r} is "
            f"{_a(role(attackers[0].plugin))}. Leave --second-step out, or add --attacker dbscan."
        )
    if fitting:
        return
    name, wrong, right = attackers[0].name, role(attackers[0].plugin), SCENARIOS[scenario].roles[0]
    raise UserError(
        f"attacker {name!r} is {_a(wrong)}, and scenario {scenario!r} needs {_a(right)}. "
        f"Try --scenario {scenarios_of(wrong)[0]}, or another --attacker."
    )


def _split(spec: RunSpec, data: Dataset, draw: int) -> Split:
    labelled = spec.labelled if SCENARIOS[spec.scenario].clean else 0
    request = Request(
        spec.users,
        spec.photos,
        labelled,
        spec.background,
        spec.seed,
        draw,
        spec.calibration,
        spec.background_photos,
    )
    parts = split(data.catalogue(), data.card, request)
    check_disjoint(parts, data.catalogue(), _content(parts, data))
    return parts


def _scenario(spec: RunSpec, parts: Split) -> dict[str, Plain]:
    return {
        "name": spec.scenario,
        "parameters": {
            "users": len(parts.released),
            "photos": spec.photos,
            "labelled": len(parts.labelled[0]) if parts.labelled else 0,
            "background": len(parts.background),
            "calibration": len(parts.calibration),
            "training": len(parts.training),
            "reference": len(parts.reference),
        },
    }


def split_content(parts: Split, data: Dataset) -> Plain:
    """The split as content digests of photos: who is where, whatever the files are called."""
    groups = (
        parts.released,
        parts.labelled,
        parts.calibration,
        parts.training,
        parts.reference,
        parts.background,
    )
    content = _content(parts, data)
    return [[[content(photo) for photo in person] for person in group] for group in groups]


def _content(parts: Split, data: Dataset) -> Callable[[str], Plain]:
    """Photo -> its content: its digest, and the box of the person where it has one.

    Of several faces in one photo a box chooses the person.
    """
    boxes = parts.boxes
    return lambda photo: [data.digest(photo), plain(boxes[photo])] if photo in boxes else data.digest(photo)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _check(spec: RunSpec) -> None:
    """See that names and budgets exist, and that numbers fit each other; each number fits by itself."""
    if spec.scenario not in SCENARIOS:
        raise unknown_name("scenario", spec.scenario, SCENARIOS, command="bench list scenarios")
    for text in spec.budgets:
        check_budget(Budget.parse(text))
    for level in spec.levels:
        if level not in LEVELS:
            raise unknown_name("level", level, LEVELS, command="bench list levels")
    for step in spec.second_steps:
        if step not in SECOND_STEPS:
            raise unknown_name("second step", step, SECOND_STEPS, command="bench list second-steps")
    if spec.cloak_detector not in CLOAK_DETECTORS:
        takes = either(CLOAK_DETECTORS)
        raise UserError(f"no cloak detector {spec.cloak_detector!r}; --cloak-detector takes {takes}.")
    if spec.cloak_detector.endswith(":use=purify"):
        for channel in spec.channels:
            if str(channels.purifier(channel)) == "none":
                raise UserError(
                    f"--cloak-detector {spec.cloak_detector}: channel {channel!r} has no purifier. "
                    "Try --channel denoiser:600."
                )
    if spec.scenario == "linked" and spec.labelled >= spec.photos:
        raise UserError(
            f"--labelled {spec.labelled} must be below --photos {spec.photos}: otherwise not even a perfect "
            "cluster has a majority of released photos, and CFR would be 0 for everybody."
        )


def _optimised_against(
    defense: Chosen, spec: RunSpec, axis: list[tuple[EncoderCard, ...]]
) -> list[tuple[EncoderCard, ...]]:
    """The surrogates of one defense: of cloaks from elsewhere only what is stated is known."""
    if not defense.plugin.card.surrogates:
        return [()]
    return [(UNSTATED,)] if isinstance(defense.plugin, ToolCloaks) and not spec.surrogates else axis


def _check_plugins(defenses: Sequence[Chosen], attackers: Sequence[Chosen], budgets: Sequence[str]) -> None:
    """Have every plug-in that can do so look at its parameters, before anything is computed."""
    for attacker in attackers:
        if hasattr(attacker.plugin, "check"):
            attacker.plugin.check()
    for defense, budget in product(defenses, budgets):
        check_keeps(defense.name, defense.plugin.card, Budget.parse(budget))
        if hasattr(defense.plugin, "check"):
            defense.plugin.check(Budget.parse(budget))


def _check_others(defenses: Sequence[Chosen], parts: Split, dataset: str) -> None:
    """See that there are as many reference people as each defense needs.

    Raises:
        UserError: There are fewer.
    """
    for defense in defenses:
        needed = defense.plugin.others() if hasattr(defense.plugin, "others") else 0
        if len(parts.reference) < needed:
            raise UserError(
                f"defense {defense.name!r} needs photos of at least {needed} other people, and data set "
                f"{dataset!r} has {len(parts.reference)} left for it. Ask for fewer --users or --background, "
                "or bring photos of more people."
            )


def chosen_defense(text: str) -> Chosen:
    """Read `NAME`, `NAME:field=value,…`, several of these joined by `+`, or `command:FILE.toml`.

    Raises:
        UserError: The name or a parameter is unknown, or the file is missing or wrong.
    """
    scheme, _, file = text.partition(":")
    if scheme == "command":
        from bench.plan.command_file import command_defense  # needs pydantic

        return command_defense(file)
    return Chosen(*composed(text))


def _defenses(given: Sequence[str | UserFunction | Chosen]) -> list[Chosen]:
    """Resolve plug-ins and functions.

    Raises:
        UserError: No record could tell two functions apart.
    """
    chosen: list[Chosen] = []
    for defense in dict.fromkeys(given):
        if isinstance(defense, str):
            chosen.append(chosen_defense(defense))
            continue
        if isinstance(defense, Chosen):
            chosen.append(defense)
            continue
        name = getattr(defense, "__name__", type(defense).__name__)
        function = Chosen(name, FunctionDefense(defense))
        if any(
            isinstance(other.plugin, FunctionDefense) and other.described() == function.described()
            for other in chosen
        ):
            raise UserError(
                f"two functions are called {name!r} and have the same source: no record could tell them "
                "apart. Set the __name__ of one."
            )
        chosen.append(function)
    return chosen
