"""Every Eval Ever 0.3: one JSON document an evaluation, which is a defense under one threat model.

The documents lie as in that project's data store: `data/BENCHMARK/DEVELOPER/MODEL/UUID.json`. A defense takes
the place of the model. See its `eval.schema.json`; the tests hold the documents to it.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from bench import __version__
from bench.errors import UserError
from bench.exports.evaluations import Evaluation, Score, evaluations
from bench.exports.source import Source
from bench.exports.texts import document, plain
from bench.site.names import slug
from bench.uncertainty.intervals import CONFIDENCE

SCHEMA = "0.3.0"
"""The version of the schema that the documents keep to."""

_NAME = "cloakbench"
_METHOD = "over users; docs/statistics.md of cloakbench says how"


def files(source: Source) -> dict[str, bytes]:
    """Path in the data store -> document.

    Raises:
        UserError: No cell has a result.
    """
    made = {}
    for evaluation in evaluations(source):
        if evaluation.of_row or evaluation.of_cells:
            content = document(_evaluation(evaluation, source.made))
            name = uuid.UUID(bytes=hashlib.sha256(content).digest()[:16], version=4)
            made[f"data/{_NAME}/{_NAME}/{slug(evaluation.row.defense)}/{name}.json"] = content
    if not made:
        raise UserError("no cell of these records has a result: there is no score to export.")
    return made


def _evaluation(evaluation: Evaluation, made: int) -> dict[str, Any]:
    row = evaluation.row
    model = f"{_NAME}/{slug(row.defense)}"
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"{_NAME}-{evaluation.name}/{model}/{made}",
        "retrieved_timestamp": str(made),
        "source_metadata": {
            "source_name": _NAME,
            "source_type": "evaluation_run",
            "source_organization_name": "not stated",
            "evaluator_relationship": "other",
        },
        "eval_library": {"name": _NAME, "version": _version(evaluation)},
        "model_info": {
            "name": plain(row.defense),
            "id": model,
            "additional_details": {
                "deployment_type": "self_deployed",
                "model_availability": "unknown",
                "surrogate": plain("+".join(row.surrogate)),
            },
        },
        "evaluation_results": [
            _result(score, evaluation) for score in evaluation.of_row + evaluation.of_cells
        ],
    }


def _version(evaluation: Evaluation) -> str:
    """The versions of the program that measured the cells; its own where they do not say."""
    stated = {str(cell.environment.get(_NAME, __version__)) for cell in evaluation.cells}
    return plain(", ".join(sorted(stated)) or __version__)


def _result(score: Score, evaluation: Evaluation) -> dict[str, Any]:
    cell, metric, details = score.details.get("cell", ""), score.metric, dict(score.details)
    if metric.bounds:
        details["bounds_over_photos_that_are_not_ok"] = " to ".join(f"{end!r}" for end in metric.bounds)
    uncertainty: dict[str, Any] = {"num_samples": metric.n}
    if metric.low is not None and metric.high is not None:
        uncertainty["confidence_interval"] = {
            "lower": metric.low,
            "upper": metric.high,
            "confidence_level": CONFIDENCE,
            "method": _METHOD,
        }
    return {
        "evaluation_result_id": plain(f"{cell}.{score.id}" if cell else score.id),
        "evaluation_name": plain(f"{score.title}, {', '.join(evaluation.track.values())}"),
        "source_data": {
            "dataset_name": plain(evaluation.row.dataset),
            "source_type": "other",
            "additional_details": {name: plain(value) for name, value in evaluation.track.items()},
        },
        "metric_config": {
            "evaluation_description": plain(score.about),
            "metric_id": f"{_NAME}.{score.id}",
            "metric_name": score.title,
            "metric_kind": "clustering_rate" if score.lower else "protection_rate",
            "metric_unit": "proportion",
            "lower_is_better": score.lower,
            "score_type": "continuous",
            "min_score": 0.0,
            "max_score": 1.0,
        },
        "score_details": {
            "score": score.value,
            "details": {name: plain(value) for name, value in details.items()},
            "uncertainty": uncertainty,
        },
    }
