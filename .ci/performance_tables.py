"""The tables of docs/performance.md, made of the record of `make bench`. A function a table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

RECORD = Path(__file__).resolve().parents[1] / "results" / "performance" / "benchmarks.json"
Test = dict[str, Any]
CLOAKERS = ("engine", "engine-fp32", "engine-stopping", "torchattacks", "foolbox")
PLAIN = {
    "detect_by_the_package": "facenet-pytorch",
    "align_by_insightface": "insightface",
    "embed_by_facenet": "facenet-pytorch, InceptionResnetV1",
    "embed_by_insightface": "insightface, ArcFaceONNX",
}
STAGES = ("decode", "detect", "detect_by_the_package", "align", "align_by_insightface", "encode_png")


def printed(name: str) -> str:
    """One table of the committed record, as Markdown."""
    record = json.loads(RECORD.read_text("utf-8"))
    return TABLES[name](record["machine"] if name == "machine" else record["tests"])


def number(x: float) -> str:
    """Three digits that count; whole from a hundred on."""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def _rate(test: Test | None) -> str:
    """Photos a second."""
    return number(test["extra_info"]["photos"] / test["seconds"]) if test else ""


def table(head: Iterable[str], rows: list[list[str]]) -> str:
    """A table in Markdown; without rows, that nothing was measured."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) if rows else "Not measured.\n"


def _of(tests: list[Test], suite: str, *names: str) -> list[Test]:
    return [t for t in tests if t["suite"] == suite and t["test"] in names]


def _by(tests: Iterable[Test], row: Callable[[Test], str], column: str) -> dict[str, dict[Any, Test]]:
    """Row -> a parameter's value -> test."""
    found: dict[str, dict[Any, Test]] = {}
    for test in tests:
        found.setdefault(row(test), {})[test["params"].get(column, 1)] = test
    return found


def machine(about: dict[str, Any]) -> str:
    """What the times were taken on."""
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    rows = {
        "processor": f"{about['processor']}, {about['cores']} cores, {about['threads']} threads used",
        "GPU": about.get("gpu", "none: nothing was measured on a GPU"),
        "system": f"{about['system']} {about['machine']}, Python {about['python_version']}",
        "packages": packages,
    }
    return table(["", ""], [[key, value] for key, value in rows.items()])


def _contests(tests: list[Test]) -> dict[str, dict[str, Test]]:
    return _by(_of(tests, "cloaking", "projected_gradient_descent"), lambda t: t["params"]["arena"], "who")


def _lead(who: dict[str, Test], ours: str = "engine") -> float:
    """Seconds of the faster of the other two over those of the engine as `ours` says.

    NaN unless all three are there, and the engine succeeds as often, to two hundredths.
    """
    others = [who[name] for name in CLOAKERS[3:] if name in who]
    if len(others) < 2 or ours not in who:
        return math.nan
    faster, mine = min(others, key=lambda t: float(t["seconds"])), who[ours]
    equal = mine["extra_info"]["success"] >= faster["extra_info"]["success"] - 0.02
    return float(faster["seconds"] / mine["seconds"]) if equal else math.nan


def cloaking(tests: list[Test]) -> str:
    """Photos/s and success of each engine, and how many times ours is the faster."""
    rows = [
        [
            f"`{encoder}`",
            *(
                f"{_rate(who[c])} ({who[c]['extra_info']['success']:.2f})" if c in who else ""
                for c in CLOAKERS
            ),
            *(f"{_lead(who, ours):.2f}" for ours in ("engine", "engine-stopping")),
        ]
        for encoder, who in _contests(tests).items()
    ]
    return table(["encoder", *CLOAKERS, "ratio", "ratio, stopping"], rows)


def files(tests: list[Test]) -> str:
    """From files to embeddings, beside the loops that users of other packages write."""
    found = _of(tests, "files_to_embeddings", "twice_as_fast_as_the_plain_loop")
    rows = [
        [t["params"]["network"], *(number(t["extra_info"][k]) for k in ("cloakbench", "plain", "ratio"))]
        for t in found
    ]
    return table(["network", "cloakbench, photos/s", "plain loop, photos/s", "ratio"], rows)


def stages(tests: list[Test]) -> str:
    """Photos/s of whatever is not embedding."""
    rows = [
        [t["group"], PLAIN.get(t["test"], "cloakbench"), _rate(t)]
        for t in _of(tests, "detect_embed", *STAGES)
    ]
    rows += [
        [f"{t['group']}: {t['params']['stage']}", "cloakbench", number(1 / t["seconds"])]
        for t in _of(tests, "detect_embed", "a_photo_of_12_megapixels")
    ]
    rows += [[t["group"], "cloakbench", _rate(t)] for t in _of(tests, "renderer", "draw_photos")]
    rows += [
        [f"open a tree, its files never seen before: `{t['params']['name']}`", "cloakbench", _rate(t)]
        for t in _of(tests, "datasets", "open_a_tree")
    ]
    return table(["stage", "who", "photos/s"], rows)


def embedding(tests: list[Test]) -> str:
    """Photos/s by encoder and batch."""
    found = _by(
        _of(tests, "detect_embed", "embed", "embed_by_facenet", "embed_by_insightface"),
        lambda t: PLAIN.get(t["test"]) or f"`{t['params']['name']}`",
        "batch",
    )
    sizes = sorted({size for row in found.values() for size in row})
    rows = [[who, *(_rate(row.get(size)) for size in sizes)] for who, row in found.items()]
    return table(["encoder", *(f"{size} a call" for size in sizes)], rows)


def clusterers(tests: list[Test]) -> str:
    """Wall time and peak memory by size, and the exponent of growth."""

    def cell(t: Test | None) -> str:
        return f"{number(t['seconds'])} ({t['extra_info']['peak_mib']:,} MiB)" if t else ""

    found = _by(_of(tests, "clustering", "ours", "theirs"), lambda t: t["params"]["name"], "photos")
    growth = {t["params"]["name"]: t["extra_info"] for t in _of(tests, "clustering", "growth")}
    sizes = sorted({size for row in found.values() for size in row})
    rows = [
        [
            f"`{who}`" if row[min(row)]["test"] == "ours" else who,
            *(cell(row.get(size)) for size in sizes),
            f"{growth[who]['exponent']:.2f}" if who in growth else "",
        ]
        for who, row in found.items()
    ]
    return table(["clusterer", *(f"{size:,} photos" for size in sizes), "growth n^"], rows)


def agreement(tests: list[Test]) -> str:
    """Do inverted lists find the people that all pairs find?"""
    found = _of(tests, "clustering", "lists_find_the_people_that_all_pairs_find_at_20000")
    return table(
        ["clusterer", "adjusted Rand"],
        [[f"`{t['params']['name']}`", f"{t['extra_info']['adjusted_rand']:.4f}"] for t in found],
    )


def million(tests: list[Test]) -> str:
    """A million photos by the graph methods."""
    rows = []
    for test in _of(tests, "million", "a_million_photos"):
        more = test["extra_info"]
        told = f"{more['peak_mib']:,}", f"{more['adjusted_rand']:.4f}"
        rows.append([f"`{test['params']['name']}`", number(more["processor_seconds"]), *told])
    return table(["clusterer", "processor seconds", "peak, MiB", "adjusted Rand with the truth"], rows)


def memory(tests: list[Test]) -> str:
    """A whole collection, streamed."""
    more = [t["extra_info"] for t in _of(tests, "memory", "stream_a_collection")]
    rows = [[f"{m['photos']:,}", number(m["photos_per_second"]), f"{m['peak_mib']:,}"] for m in more]
    return table(["photos", "photos/s", "peak, MiB"], rows)


def arithmetic(tests: list[Test]) -> str:
    """What an encoder gets out of the processor."""
    head = ["encoder", "how", "GFLOP a crop", "crops/s", "GFLOP/s", "limit, GFLOP/s", "fraction"]
    keys = ("gflops", "limit_gflops", "fraction")
    rows = []
    for t in _of(tests, "arithmetic", "fraction_of_the_arithmetic_limit"):
        p, m = t["params"], t["extra_info"]
        how = f"{m['device']}, {p['precision']}, batch {m['photos']}"
        rows.append(
            [f"`{p['name']}`", how, number(m["gflop_a_crop"]), _rate(t), *(number(m[k]) for k in keys)]
        )
    return table(head, rows)


def goals(tests: list[Test]) -> str:
    """Every goal with the worst value that was measured, over all that it is about."""
    contests = {name: who for name, who in _contests(tests).items() if not math.isnan(_lead(who))}
    fast = 3 if any(who["engine"]["extra_info"]["device"] != "cpu" for who in contests.values()) else 1.5

    def leads(ours: str, *, built_in: bool) -> list[float]:
        return [_lead(who, ours) for name, who in contests.items() if name.startswith("synth-") == built_in]

    best, saving = "faster of torchattacks and Foolbox", "cloaking with photos leaving at the goal"
    plain = _of(tests, "files_to_embeddings", "twice_as_fast_as_the_plain_loop")
    ten = {t["params"]["theirs"]: t for t in _of(tests, "clustering", "ten_times_as_fast_at_20000")}
    graph = ("components", "dbscan", "chinese-whispers", "louvain")
    growth = [t for t in _of(tests, "clustering", "growth") if t["params"]["name"] in graph]
    streamed = [t for t in _of(tests, "memory", "stream_a_collection") if t["extra_info"]["photos"] >= 13_000]
    drawn = _of(tests, "renderer", "draw_photos")

    def more(found: list[Test], key: str) -> list[float]:
        return [t["extra_info"][key] for t in found]

    def times(name: str) -> list[float]:
        return more([ten[name]], "times_as_fast") if name in ten else []

    wanted: list[tuple[str, str, float, list[float]]] = [
        (
            f"cloaking, as many steps, real encoders, beside the {best}",
            "≥",
            fast,
            leads("engine", built_in=False),
        ),
        ("the same, built-in encoders", "≥", fast, leads("engine", built_in=True)),
        (f"{saving}, real encoders", "≥", fast, leads("engine-stopping", built_in=False)),
        ("the same, built-in encoders", "≥", fast, leads("engine-stopping", built_in=True)),
        ("files to embeddings, beside the plain loop", "≥", 2, more(plain, "ratio")),
        ("`dbscan` beside scikit-learn's, 20,000 photos", "≥", 10, times("scikit-learn DBSCAN")),
        ("`hdbscan` beside the hdbscan package, 20,000 photos", "≥", 10, times("hdbscan package")),
        ("growth of the graph methods, exponent", "≤", 1.3, more(growth, "exponent")),
        ("13,000 photos streamed, peak in MiB", "≤", 2048, more(streamed, "peak_mib")),
        ("drawn photos a minute", "≥", 1000, more(drawn, "photos_per_minute")),
    ]
    return goal_table(wanted)


def gpu_goals(tests: list[Test]) -> str:
    """The goals of a GPU with the worst value of its record."""
    contests = [who for who in _contests(tests).values() if not math.isnan(_lead(who))]
    fractions = _of(tests, "arithmetic", "fraction_of_the_arithmetic_limit")
    stopping = [lead for who in contests if not math.isnan(lead := _lead(who, "engine-stopping"))]
    best = "the faster of torchattacks and Foolbox"
    return goal_table(
        [
            (f"cloaking, as many steps, beside {best}", "≥", 3, [_lead(who) for who in contests]),
            (
                "cloaking with photos leaving at the goal, beside the same",
                "≥",
                3,
                stopping,
            ),
            (
                "embedding in fp32, share of the arithmetic limit",
                "≥",
                0.6,
                [t["extra_info"]["fraction"] for t in fractions if t["params"]["precision"] == "fp32"],
            ),
            (
                "embedding in bf16, share of the arithmetic limit",
                "≥",
                0.6,
                [t["extra_info"]["fraction"] for t in fractions if t["params"]["precision"] == "bf16"],
            ),
        ]
    )


def goal_table(wanted: list[tuple[str, str, float, list[float]]]) -> str:
    """What is wanted, the sign of its goal, the goal, and all values that have to reach it, as a table."""
    rows = []
    for what, sign, goal, values in wanted:
        worst = (min if sign == "≥" else max)(values, default=0.0)
        met = worst >= goal if sign == "≥" else worst <= goal
        reached = (
            f"{number(min(values))} to {number(max(values))}"
            if len(values) > 1
            else "".join(map(number, values))
        )
        rows.append(
            [what, f"{sign} {goal:,}", reached or "not measured", ("yes" if met else "no") if values else ""]
        )
    return table(["what", "goal", "reached", "goal met"], rows)


TABLES: dict[str, Callable[[Any], str]] = {
    f.__name__: f
    for f in (
        machine,
        goals,
        cloaking,
        files,
        stages,
        embedding,
        clusterers,
        agreement,
        million,
        memory,
        arithmetic,
    )
}
