"""Nothing lies in the project that nobody uses: vulture looks for names that no line of it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from vulture import Vulture

ROOT = Path(__file__).resolve().parents[2]

ALLOWED = {
    # called by torch: a module's computation
    "forward": "torch.nn.Module",
    # called by click
    "format_commands": "typer's group of commands",
    # called by pytest
    "pytest_configure": "bench.gate.pytest_plugin: the mark",
    "pytest_collection_modifyitems": "bench.gate.pytest_plugin: refuses to mix strength and time",
    "pytest_terminal_summary": "bench.gate.pytest_plugin: what was compared",
    "user_properties": "pytest.Item: JUnit has them",
    # called by Python
    "__getattr__": "of a module: `bench.run` is loaded on first use",
    # settings of objects of other libraries
    "benchmark": "torch.backends.cudnn",
    "classify": "facenet_pytorch.InceptionResnetV1",
    "logits": "facenet_pytorch.InceptionResnetV1",
    "intra_op_num_threads": "onnxruntime.SessionOptions",
    "inter_op_num_threads": "onnxruntime.SessionOptions",
    "log_severity_level": "onnxruntime.SessionOptions",
    "is_trained": "faiss.IndexIVFFlat",
    "min_points_per_centroid": "faiss.IndexIVFFlat.cp",
    "MAX_IMAGE_PIXELS": "PIL.Image",
    "nprobe": "faiss.IndexIVFFlat",
    "create_system": "zipfile.ZipInfo",
    "trust_env": "requests.Session",
    "enforce_content_length": "urllib3.HTTPResponse",
    "writeable": "numpy.ndarray.flags",
    "writable": "io.RawIOBase",
    "_assert_has_ops": "torchvision.extension",
    "model_config": "pydantic.BaseModel",
    "_with_publisher": "pydantic.model_validator",
    # fields of records: pydantic and `dataclasses.asdict` write them, readers of records read them
    "pairs_digest": "VerificationRecord",
    "providers": "Cost",
    "cache_hits": "Cost",
    "clean_before": "Robustness",
    "perturbed_before": "Robustness",
    "psnr": "PerceptualCost",
    "ms_ssim_scales": "PerceptualCost",
    # fields that templates of pages read
    "lead": "site: templates/parts.html",
    "numeric": "site: templates/parts.html",
    # fields that are read by name
    "save_cloaks": "plan: `bench.cli.run` reads it off the options of the command",
    "see": "plan: .ci/options_table.py links the table of options to the page that says more",
    "glasses": "synthetic faces: `person.colour('glasses')`",
    "cloth": "synthetic faces: `shot.colour('cloth')`",
    "back_near": "synthetic faces: `shot.colour('back_near')`",
    "back_far": "synthetic faces: `shot.colour('back_far')`",
    "BALD": "synthetic faces: the first of four lengths of hair, which are numbers",
    "LONG": "synthetic faces: the last of four lengths of hair",
    # for callers from Python
    "to_pandas": "records: README.md shows it",
    "tied_with": "uncertainty.paired: a row's rank says which rows noise cannot tell from it",
    "zero_event_bound": "uncertainty.power: docs/statistics.md prints it",
}
"""Name -> who uses it, where no line of bench, defenses, attackers and datasets does."""


@pytest.fixture(scope="module")
def unused() -> dict[str, list[str]]:
    """Name -> where it is defined, for names that no line of the project reads."""
    check = Vulture()
    check.scavenge([str(ROOT / folder) for folder in ("bench", "defenses", "attackers", "datasets")])
    places: dict[str, list[str]] = {}
    for item in check.get_unused_code(min_confidence=60):
        place = f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno}"
        places.setdefault(item.name, []).append(f"{place} {item.typ} {item.name}")
    return places


def documented() -> set[str]:
    """Names that a page gives in full, such as `bench.uncertainty.paired.compare`."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    return {
        name.rpartition(".")[2]
        for page in pages
        for name in re.findall(r"\bbench(?:\.\w+)+", page.read_text("utf-8"))
    }


def test_a_page_s_full_name_is_read() -> None:
    assert {"wilson", "compare", "cross"} <= documented()


def test_every_name_is_used_documented_or_allowed(unused: dict[str, list[str]]) -> None:
    assert not [
        line for name, lines in unused.items() if name not in ALLOWED.keys() | documented() for line in lines
    ]


def test_no_name_is_allowed_without_need(unused: dict[str, list[str]]) -> None:
    assert sorted(ALLOWED.keys() - unused.keys()) == []
    assert sorted(ALLOWED.keys() & documented()) == []
