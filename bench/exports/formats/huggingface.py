"""Hugging Face: `.eval_results/*.yaml` for the repository of each defense, and `eval.yaml` of the benchmark.

A result there is one number with a data set on the Hub and a task of it. Its interval, its number of users
and its attack stand in the notes. `eval.yaml` names every task that the results are of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from bench.errors import UserError
from bench.exports.evaluations import Evaluation, Score, boarded
from bench.exports.source import Source
from bench.exports.texts import quoted
from bench.site.names import slug

DATASET: Final = "cloakbench/cloakbench"
"""The data set's name on the Hub in all results: whoever publishes elsewhere puts another in its place."""

_FRAMEWORK = "cloakbench"

Fields: TypeAlias = Mapping[str, "str | float | Fields"]


def files(source: Source) -> dict[str, bytes]:
    """Path -> YAML: a folder for each defense, and the declaration of the benchmark.

    Raises:
        UserError: No row of the leaderboard has a figure.
    """
    made: dict[str, bytes] = {}
    tasks: dict[str, None] = {}
    for evaluation in boarded(source):
        if not evaluation.of_row:
            continue
        path = _unused(f"{slug(evaluation.row.defense)}/.eval_results/{evaluation.name}", made)
        made[path] = _items(_result(score, evaluation) for score in evaluation.of_row)
        tasks |= dict.fromkeys(_task(score, evaluation) for score in evaluation.of_row)
    if not made:
        raise UserError(
            "no defense of these records has a figure of the leaderboard: there is nothing to export."
        )
    about = "Whether face-cloaking defenses protect anybody from clustering and recognition"
    head = _fields({"name": "cloakbench", "description": about, "evaluation_framework": _FRAMEWORK})
    listed = _items({"id": task, "config": "default", "split": "test"} for task in tasks)
    return {**made, "eval.yaml": head.encode() + b"tasks:\n" + listed}


def _unused(stem: str, taken: Mapping[str, bytes]) -> str:
    """A file's name that no other row has: rows of one track may differ in surrogates or in users alone."""
    number = 1
    while (path := f"{stem}{f'-{number}' if number > 1 else ''}.yaml") in taken:
        number += 1
    return path


def _task(score: Score, evaluation: Evaluation) -> str:
    return f"{slug(score.title.lower())}-{evaluation.name}"


def _result(score: Score, evaluation: Evaluation) -> Fields:
    metric, row = score.metric, evaluation.row
    interval = "" if metric.low is None or metric.high is None else f" [{metric.low:.4f}, {metric.high:.4f}]"
    said = [
        f"{score.title} {score.value:.4f}{interval}, {metric.n} users",
        f"{'lower' if score.lower else 'higher'} protects better",
        f"surrogate {'+'.join(row.surrogate) or 'none'}",
        *(f"{name} {value}" for name, value in {**score.details, **evaluation.track}.items()),
    ]
    return {
        "dataset": {"id": DATASET, "task_id": _task(score, evaluation)},
        "value": score.value,
        "evaluation_framework": _FRAMEWORK,
        "notes": "; ".join(said),
    }


def _items(items: Iterable[Fields]) -> bytes:
    """A list of mappings in YAML."""
    return "".join(f"- {_fields(item, '  ')[2:]}" for item in items).encode()


def _fields(fields: Fields, indent: str = "") -> str:
    """A mapping in YAML. Texts stand in double quotes, where only a backslash and a quote have a meaning."""
    lines = []
    for name, value in fields.items():
        if isinstance(value, str):
            lines.append(f"{indent}{name}: {quoted(value)}\n")
        elif isinstance(value, Mapping):
            lines.append(f"{indent}{name}:\n{_fields(value, indent + '  ')}")
        else:
            lines.append(f"{indent}{name}: {float(value)!r}\n")
    return "".join(lines)
