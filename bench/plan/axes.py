"""The one table of axes: each field of `Axes` is one option of a run, and says everything about it.

The options of `bench run`, `RunSpec`, the arguments of `bench.run`, suites, the digest of a cell, the columns
and tracks of records and the table in docs/running.md are read off these rows. A new axis is one more field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.machine.devices import PRECISIONS
from bench.plan.kinds import Number, Place, Switch, Text, Whole
from bench.plan.rows import FIRST, Axis, axis, rows
from bench.plan.scenarios import CLEAN, CLOAK_DETECTORS, LEVELS, SCENARIOS, SECOND_STEPS
from bench.plan.words import either

if TYPE_CHECKING:
    from bench.plan.chosen import Chosen, UserFunction

_PLUGIN: Final = "`NAME` or `NAME:field=value,…`"


def _names(names: Iterable[str]) -> str:
    return either(f"`{name}`" for name in names)


@dataclass(frozen=True, slots=True)
class Axes:
    """The options of a run; a tuple says that the option may be repeated."""

    defenses: tuple[str | UserFunction | Chosen, ...] = axis(
        ("none",),
        option="defense",
        kind=Text(functions=True),
        of="cloaking",
        about="what users do to their photos",
        takes="NAME or NAME:field=value,…; a+b is one after the other",
        example=("none", "advmask:steps=40"),
        in_python="a function from a list of one user's photos (uint8 [height, width, 3], RGB) to as many "
        "photos of the same shapes",
        required=True,
        before=FIRST,
        track=False,
    )
    attackers: tuple[str, ...] = axis(
        ("dbscan",),
        option="attacker",
        kind=Text(),
        of="attack",
        about="who recognises people",
        takes=_PLUGIN,
        example=("dbscan", "knn:k=3"),
        required=True,
        before=FIRST,
        track=False,
    )
    dataset: str = axis(
        "synthetic",
        kind=Text(),
        of="split",
        about="whose photos",
        takes=_PLUGIN,
        example=("synthetic:people=400,hardness=0.8",),
        before=FIRST,
    )
    scenario: str = axis(
        "introduced",
        kind=Text(),
        of="split",
        about="who is cloaked, and what the attacker holds",
        takes=_names(SCENARIOS),
        example=("linked",),
        before=FIRST,
        record="scenario.name",
    )
    encoders: tuple[str, ...] = axis(
        (),
        option="encoder",
        kind=Text(),
        of="view",
        about="what the attacker embeds with",
        takes="a name; `all` is every ready one that is made for such photos; `a+b` puts embeddings side by "
        "side, `weighted:a+b` with learned weights, `mean:a+b` averages them",
        left_out="all built-in ones on `synthetic`, otherwise must be given",
        example=("synth-ir", "synth-vit"),
        before=FIRST,
        track=False,
    )
    detectors: tuple[str, ...] = axis(
        ("own",),
        option="detector",
        kind=Text(),
        of="view",
        about="what the attacker finds faces with",
        takes="`own` (what the encoder's card names) or a name of `bench list detectors`",
        example=("own", "yunet"),
        see="encoders.md#detectors",
        before=FIRST,
        track=False,
    )
    surrogates: tuple[str, ...] = axis(
        (),
        option="surrogate",
        kind=Text(),
        of="cloaking",
        about="what the defense optimises against",
        takes="a name, or `a+b` for several at once",
        left_out="the first encoder",
        example=("synth-ir", "synth-inc+synth-ir"),
        before=FIRST,
        track=False,
    )
    budgets: tuple[str, ...] = axis(
        ("linf:8",),
        option="budget",
        kind=Text("a budget"),
        of="cloaking",
        about="how far a released photo may be from its original",
        takes="`linf:N` (of 255), `dssim:X`, `ssim:X` (at least), `lpips:X` or `unbounded`",
        example=("linf:8", "linf:4"),
        see="#budgets",
        before=FIRST,
    )
    channels: tuple[str, ...] = axis(
        ("none",),
        option="channel",
        kind=Text(),
        of="view",
        about="what lies between a photo and the attacker",
        takes="`none`, `jpeg:75`, … or a chain with `+`; `bench list channels` names all",
        example=("none", "resize:0.5+jpeg:75"),
        see="channels.md",
        before=FIRST,
        track=False,
    )
    users: int | None = axis(
        None,
        kind=Whole(1),
        of="split",
        about="protected users",
        left_out="the data set's default (20 on `synthetic`, up to 200 on `lfw`)",
        example=(20,),
        before=FIRST,
        record="scenario.parameters.users",
        column=False,
    )
    photos: int = axis(
        10,
        kind=Whole(3),
        of="split",
        about="released photos a user",
        example=(8,),
        before=FIRST,
        record="scenario.parameters.photos",
        column=False,
    )
    labelled: int = axis(
        5,
        kind=Whole(1),
        of="split",
        about=f"clean photos a user besides the released ones, in {_names(CLEAN)}",
        example=(3,),
        before=FIRST,
        record="scenario.parameters.labelled",
        column=False,
    )
    background: int | None = axis(
        None,
        kind=Whole(0),
        of="split",
        about="other people in the attacker's collection",
        left_out="the data set's default (30 on `synthetic`, everybody left over on `lfw`)",
        example=(100,),
        before=FIRST,
        record="scenario.parameters.background",
        column=False,
        track=False,
    )
    background_photos: int | None = axis(
        None,
        kind=Whole(1),
        of="split",
        about="photos of each person of the background and of the crowds, at most",
        left_out="as many as a user releases",
        example=(3,),
        see="#strangers-by-the-thousand",
        column=False,
        track=False,
    )
    calibration: int | None = axis(
        None,
        kind=Whole(2),
        of="split",
        about="people whom attackers are tuned on",
        left_out="up to 30 with many photos, and a crowd: a third of everybody left over, at most 1,000, and "
        "with `--background` at most five times the users and the background",
        example=(40,),
        see="protocol.md#parts",
        before=FIRST,
        record="scenario.parameters.calibration",
        column=False,
        track=False,
    )
    doses: tuple[float, ...] = axis(
        (1.0,),
        option="dose",
        kind=Number(above=0, most=1),
        of="cloaking",
        about="share of a user's photos that are cloaked",
        example=(0.5, 1.0),
    )
    levels: tuple[str, ...] = axis(
        ("oblivious",),
        option="level",
        kind=Text(),
        of="attack",
        about="what thresholds are tuned on",
        takes=_names(LEVELS),
        example=("oblivious", "adaptive"),
        see="#attackers-who-know-the-defense",
        track=False,
    )
    adaptations: tuple[str, ...] = axis(
        ("none",),
        option="adaptation",
        kind=Text(),
        of="view",
        about="what the attacker makes of its encoder",
        takes=f"{_PLUGIN}, or several joined by `+`",
        example=("none", "adversarial+whiten"),
        see="#attackers-who-know-the-defense",
        before={"name": "none", "parameters": {}},
        track=False,
    )
    second_steps: tuple[str, ...] = axis(
        ("none",),
        option="second_step",
        kind=Text(),
        of="attack",
        about="what is done to the clusters afterwards",
        takes=_names(SECOND_STEPS),
        example=("assign", "none"),
        see="attackers.md#a-second-step",
        track=False,
    )
    cloak_detector: str = axis(
        "none",
        kind=Text(),
        of="view",
        about="by what the attacker tells cloaked photos from clean ones, and what it does with them",
        takes=_names(CLOAK_DETECTORS),
        example=("residuals",),
        see="#a-detector-of-cloaks",
        column=False,
        track=False,
    )
    distractors: tuple[int, ...] = axis(
        (0,),
        kind=Whole(0),
        of="attack",
        about="simulated strangers among the background, three photos each",
        example=(1000, 0),
    )
    seed: int = axis(
        0,
        kind=Whole(0),
        of="split",
        about="seed of the split and of everything random",
        example=(1,),
        before=FIRST,
    )
    draws: int = axis(
        1,
        kind=Whole(1),
        of="run",
        about="how often calibration people and background are drawn anew; the users and their cloaks stay",
        example=(5,),
        before=0,
        attribute="repetition",
        name="draw",
        track=False,
    )
    device: str = axis(
        "auto",
        kind=Text(),
        of="run",
        about="what computes",
        takes="`auto` (CUDA if torch has it), `cpu`, `cuda` or `cuda:N`",
        example=("cpu",),
        see="#devices",
        semantic=False,
        column=False,
        track=False,
    )
    precision: str = axis(
        "fp32",
        kind=Text(),
        of="view",
        about="what the attacker embeds in",
        takes=_names(PRECISIONS),
        example=("bf16",),
        see="#devices",
        record="encoder.parameters.precision",
        column=False,
        track=False,
    )


@dataclass(frozen=True, slots=True)
class _Command:
    """Options of the command that are no part of a run."""

    suite: str | None = axis(
        None,
        kind=Text("the name of a suite, or a TOML file"),
        of="command",
        about="several runs; other options take precedence",
        takes="a name, or a TOML file",
        left_out="one run",
        example=("standard",),
        see="#suites",
        in_python=None,
        semantic=False,
    )
    out: str | None = axis(
        None,
        kind=Place("the path of a folder"),
        of="command",
        about="a folder for records and tables",
        left_out="nothing is written",
        example=("out/mine",),
        semantic=False,
    )
    preview: str | None = axis(
        None,
        kind=Place("the path of a picture"),
        of="command",
        about="a picture (`.png`, `.jpg` or `.webp`): before, after, amplified difference",
        left_out="nothing is drawn",
        example=("out/preview.png",),
        in_python=None,
        semantic=False,
    )
    save_cloaks: str | None = axis(
        None,
        kind=Place("the path of a folder"),
        of="command",
        about="a folder for the released photos, and below `clean` for the others that attackers hold",
        left_out="no photo is written",
        example=("out/cloaks",),
        see="submit.md",
        in_python=None,
        semantic=False,
    )
    engine: str = axis(
        "local",
        kind=Text("the name of an engine"),
        of="command",
        about="who computes the cells",
        takes="`local`, `processes:N`, `dask:N`, `dask:tcp://HOST:PORT`, `slurm:…` or `slurm:local`",
        example=("processes:2",),
        see="large-matrix.md",
        in_python=None,
        semantic=False,
    )
    json: bool = axis(
        False,
        kind=Switch(),
        of="command",
        about="print the records instead of the board",
        left_out="prints the board",
        example=(True,),
        in_python=None,
        semantic=False,
    )


AXES: Final[dict[str, Axis]] = rows(Axes)
"""Option of a run -> its row."""

NUMERIC: Final[dict[str, Axis]] = {
    option: row for option, row in AXES.items() if row.repeatable and row.kind.type in (int, float)
}
"""The options of a run that make a curve: several numbers of each."""

COMMAND: Final[dict[str, Axis]] = rows(_Command)
"""Option of `bench run` that is no part of a run -> its row."""
