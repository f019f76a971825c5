"""The plug-in of pytest: a mark, a fixture, and a line of what was compared.

It is loaded by every pytest of an environment in which cloakbench is installed, so it imports nothing else
before a test asks for it. Strength is no timing: a test of strength that also takes pytest-benchmark's
fixture is refused, because its verdict would be repeated with the timed rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bench.gate.verdict import Verdict

MARK = "defense_strength"
_SAID = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(baseline, max_drop, defenses=()): gates the strength of a defense; "
        f"-m {MARK} selects such tests, and -m 'not {MARK}' leaves them out",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse tests that mix strength and time.

    Raises:
        UsageError: A marked test takes the fixture `benchmark`.
    """
    for item in items:
        if item.get_closest_marker(MARK) and "benchmark" in getattr(item, "fixturenames", ()):
            raise pytest.UsageError(f"{item.nodeid} gates strength and measures time. Make two tests of it.")


@pytest.fixture
def assert_defense_strength(request: pytest.FixtureRequest) -> Callable[..., Verdict]:
    """`bench.gate.assert_defense_strength`, with what the mark says for arguments that are left out.

    What it finds is written into the test's properties, so that JUnit has it, and below the results.
    """

    def asserted(
        records: Path | str,
        *,
        baseline: Path | str | None = None,
        max_drop: float | None = None,
        defenses: Sequence[str] | None = None,
    ) -> Verdict:
        from bench.gate.verdict import gate

        mark = request.node.get_closest_marker(MARK)
        stated = dict(mark.kwargs) if mark else {}
        given = {"baseline": baseline, "max_drop": max_drop, "defenses": defenses}
        stated |= {name: value for name, value in given.items() if value is not None}
        missing = [name for name in ("baseline", "max_drop") if name not in stated]
        if missing:
            pytest.fail(
                f"{' and '.join(missing)} of the gate are needed, as arguments or in "
                f"@pytest.mark.{MARK}(baseline=..., max_drop=...)",
                pytrace=False,
            )
        verdict = gate(
            Path(records), Path(stated["baseline"]), float(stated["max_drop"]), stated.get("defenses", ())
        )
        rises = [row.rise.value for row in verdict.rows if row.rise.value is not None]
        request.node.user_properties += [
            ("defense_strength", verdict.verdict),
            ("defense_strength_largest_rise", max(rises, default=None)),
        ]
        said = request.config.stash.setdefault(_SAID, [])
        said.append(f"{request.node.nodeid}: {verdict.headline}")
        if verdict.verdict != "passed":
            pytest.fail(verdict.headline, pytrace=False)
        return verdict

    return asserted


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was compared, apart from any table of timings."""
    said = config.stash.get(_SAID, [])
    if said:
        from bench.gate.words import logged, short

        terminalreporter.section("strength of defenses")
        for line in said:
            terminalreporter.write_line(logged(short(line, 1000)))
