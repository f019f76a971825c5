"""What became of every photo is counted by the framework, and stays in every denominator."""

from __future__ import annotations

import errno
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import bench
from bench.errors import UserError
from bench.experiment.api import CellsFailed
from bench.experiment.files import write
from bench.experiment.session import RunResult
from bench.experiment.stages import Clock
from bench.metrics.lpips import SHAPES
from bench.plan.spec import RunSpec
from bench.recognition.attacker_view import AttackerView
from bench.records import CellRecord, read
from bench.store.lpips_weights import FILE
from bench.types import Flag, FlagCode, Image

One = Callable[..., CellRecord]
Run = Callable[..., RunResult]
PHOTOS = 8  # of the two users


def by(amount: int) -> Callable[[list[Image]], list[Image]]:
    """A defense that changes one value of one pixel of each photo."""

    def nudged(photos: list[Image]) -> list[Image]:
        for photo in photos:
            value = int(photo[40, 40, 1])
            photo[40, 40, 1] = value + amount if value + amount <= 255 else value - amount
        return photos

    return nudged


def test_one_value_beyond_the_budget_is_out_of_budget(one: One) -> None:
    record = one(defenses=(by(9),), budgets=("linf:8",))
    assert record.outcomes == {"out_of_budget": PHOTOS}
    assert (
        Flag(FlagCode.OUT_OF_BUDGET, f"{PHOTOS} of {PHOTOS} photos break the budget linf:8") in record.flags
    )
    assert record.perceptual["photo"]["linf"] == {"mean": 9.0, "worst": 9.0}  # measured, and not clipped
    assert record.metrics["cfr"].n == 2
    # photos over budget prove nothing: within it all might have clustered, or none
    assert record.metrics["cfr"].bounds == record.metrics["cfr_strict"].bounds == (0.0, 1.0)


def test_the_whole_budget_is_within_the_budget(one: One) -> None:
    record = one(defenses=(by(8),), budgets=("linf:8",))
    assert record.outcomes == {"ok": PHOTOS}
    assert FlagCode.OUT_OF_BUDGET not in {flag.code for flag in record.flags}
    assert record.metrics["cfr"].bounds is None


def test_without_a_limit_nothing_is_out_of_budget(one: One) -> None:
    assert one(defenses=(by(100),), budgets=("unbounded",)).outcomes == {"ok": PHOTOS}


@pytest.mark.parametrize("kind", ["dssim", "ssim"])
def test_a_budget_of_likeness_is_judged_on_the_worse_of_photo_and_face(one: One, kind: str) -> None:
    def dotted(photos: list[Image]) -> list[Image]:
        for photo in photos:
            photo[80:84, 80:84] ^= 32  # in the middle, where the face is
        return photos

    measured = one(defenses=(dotted,), budgets=("unbounded",)).perceptual
    photo, face = (measured[region][kind]["worst"] for region in ("photo", "face"))
    assert photo is not None and face is not None
    assert (photo < face) == (kind == "dssim")  # a few pixels weigh more on the face
    within = one(defenses=(dotted,), budgets=(f"{kind}:{face!r}",))
    assert within.outcomes == {"ok": PHOTOS}
    assert {"clean", "noise"} <= set(within.controls)
    beyond = one(defenses=(dotted,), budgets=(f"{kind}:{(photo + face) / 2!r}",))
    assert beyond.outcomes["out_of_budget"] >= 1
    assert FlagCode.OUT_OF_BUDGET in {flag.code for flag in beyond.flags}


def write_lpips(home: Path, seed: int) -> None:
    """A file of weights for LPIPS, at random."""
    rng = np.random.default_rng(seed)
    tensors = {name: rng.random(shape, np.float32) - 0.3 for name, shape in SHAPES.items()}
    (home / "weights").mkdir(exist_ok=True, parents=True)
    save_file({k: np.abs(v) if "lin" in k else v for k, v in tensors.items()}, home / "weights" / FILE)


def test_a_defense_that_measures_lpips_is_another_with_other_weights(run: Run, tmp_path: Path) -> None:
    def cloaked(seed: int, defense: str) -> CellRecord:
        home = tmp_path / str(seed)
        write_lpips(home, seed)
        spec = {"defenses": (f"lowkey:steps=2,{defense}",), "budgets": ("linf:8",)}
        (record,) = run(home=home, surrogates=("synth-ir",), **spec).records
        return record

    first, second = (cloaked(seed, "likeness=lpips,penalty=1000") for seed in (1, 2))
    assert first.cell != second.cell
    assert first.perceptual["photo"]["rmse"] != second.perceptual["photo"]["rmse"]
    assert len({cloaked(seed, "likeness=ms-ssim").cell for seed in (1, 2)}) == 1


def test_a_budget_of_lpips_is_judged_with_the_users_weights(run: Run, tmp_path: Path) -> None:
    def judged(budget: str) -> CellRecord:
        (record,) = run(home=tmp_path, defenses=(by(100),), budgets=(budget,)).records
        return record

    without = judged("unbounded")
    assert "lpips" not in without.perceptual["photo"]
    write_lpips(tmp_path, 1)
    measured = judged("unbounded")
    assert measured.cell == without.cell
    worst = [measured.perceptual[region]["lpips"]["worst"] for region in ("photo", "face")]
    largest = max(value for value in worst if value is not None)
    assert largest > 0
    assert judged(f"lpips:{largest!r}").outcomes == {"ok": PHOTOS}
    beyond = judged(f"lpips:{largest * 0.99!r}")
    assert beyond.outcomes["out_of_budget"] >= 1
    write_lpips(tmp_path, 2)
    with pytest.raises(UserError, match="altered or damaged"):
        judged("lpips:0.1")


def test_a_photo_that_was_not_cloaked_is_published_as_it_was(one: One) -> None:
    def gives_up(photos: list[Image]) -> Sequence[Image | None]:
        return [None, *photos[1:]]

    record = one(defenses=(gives_up,))
    assert record.outcomes == {"cloak_failed": 2, "ok": PHOTOS - 2}
    assert record.perceptual["photo"]["linf"]["worst"] == 0
    assert record.metrics["cfr"].n == 2


def test_a_photo_without_a_face_is_counted(one: One) -> None:
    def blank_first(photos: list[Image]) -> list[Image]:
        return [np.full_like(photos[0], 90), *photos[1:]]

    record = one(defenses=(blank_first,), budgets=("unbounded",))
    assert record.outcomes == {"not_detected": 2, "ok": PHOTOS - 2}
    assert record.metrics["cfr"].n == 2


def test_when_no_face_is_left_nobody_forms_a_cluster(one: One) -> None:
    def blank(photos: list[Image]) -> list[Image]:
        return [np.full_like(photo, 90) for photo in photos]

    record = one(defenses=(blank,), budgets=("unbounded",))
    assert record.outcomes == {"not_detected": PHOTOS}
    assert (record.metrics["cfr"].value, record.metrics["cfr"].n) == (0.0, 2)
    named = one(defenses=(blank,), budgets=("unbounded",), scenario="linked", attackers=("knn",))
    assert (named.metrics["psr1"].value, named.metrics["psr1"].n) == (1.0, 2)
    assert record.metrics["cfr"].bounds == named.metrics["psr1"].bounds == (0.0, 1.0)
    assert named.controls["clean"]["psr1"].bounds is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda photos: photos[1:], "returned 3 photos for 4"),
        (lambda photos: [photo[:-1] for photo in photos], r"must be uint8 \(160, 160, 3\)"),
        (lambda photos: [photo / 255 for photo in photos], "float64"),
        (lambda photos: 1 / 0, "ZeroDivisionError"),
    ],
    ids=["too few", "smaller", "not 8 bits", "raises"],
)
def test_a_wrong_function_fails_its_own_cell_only(
    run: Callable[..., RunResult], wrong: Callable[[list[Image]], list[Image]], says: str
) -> None:
    result = run(defenses=(wrong, "none"))
    failed, good = result.records
    assert (failed.status, good.status) == ("failed", "ok")
    assert failed.metrics == {}
    assert re.search(says, failed.error or "")
    assert len(result.faults) == 1


def test_from_python_the_others_are_kept_and_the_fault_is_raised(small: RunSpec, tmp_path: Path) -> None:
    def breaks(photos: list[Image]) -> list[Image]:
        raise RuntimeError("no film left")

    with pytest.raises(CellsFailed) as caught:
        bench.run(
            defense=["none", breaks],
            dataset=small.dataset,
            encoder=small.encoders,
            users=2,
            photos=4,
            background=2,
            device="cpu",
            out=tmp_path,
        )
    assert [str(e) for e in caught.value.exceptions] == ["no film left"]
    assert [r.status for r in read(tmp_path)] == ["ok", "failed"]
    # a function is never cached: without the records of the others they would have to be computed again
    assert [r.status for r in caught.value.records] == ["ok", "failed"]
    assert caught.value.records.to_pandas()["cfr"].notna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"defense": 5}, "defense=5 is not a name. Try defense='none'."),
        ({"defense": ["none", 5]}, "defense=['none', 5]: 5 is not a name. Try defense='none'."),
        ({"defense": []}, "defense=[] is not a list of at least one value"),
        ({"budget": 8}, "budget=8 is not a budget. Try budget='linf:8'."),
        ({"dose": "half"}, "dose='half' is not a number above 0 and at most 1. Try dose=0.5."),
        ({"users": "x"}, "users='x' is not a whole number of at least 1. Try users=20."),
        ({"users": [3]}, "users=[3] is not a whole number of at least 1. Try users=20."),
        ({"out": ""}, "out='' is not the path of a folder. Try out='out/mine'."),
        ({"defence": "none"}, "no option 'defence'. Did you mean 'defense'? 'bench run --help' names all."),
        ({"suite": "standard"}, "no option 'suite'."),
    ],
)
def test_from_python_a_mistaken_argument_is_one_line(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=re.escape(says)):
        bench.run(**given)


def test_a_file_that_does_not_fit_leaves_no_beginning_of_itself(
    run: Callable[..., RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.FileIO):
        """A file on a disk with room for one more byte."""

        def write(self, content: Any) -> int:
            super().write(bytes(content)[:1])
            raise OSError(errno.ENOSPC, "No space left on device")

    result = run()
    monkeypatch.setattr("bench.store.writing.os.fdopen", Full)
    with pytest.raises(UserError, match="No space left on device"):
        write(result, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_attacker_that_does_not_fit_is_skipped_and_named(run: Callable[..., RunResult]) -> None:
    fits, skipped = run(attackers=("dbscan", "knn")).records
    assert (fits.status, skipped.status) == ("ok", "skipped")
    assert "linked" in (skipped.error or "")
    assert skipped.metrics == {}


def test_a_run_of_failed_cells_is_written_down(run: Callable[..., RunResult], tmp_path: Path) -> None:
    def breaks(photos: list[Image]) -> list[Image]:
        raise RuntimeError("no film left")

    write(run(defenses=(breaks,)), tmp_path)
    (record,) = read(tmp_path)
    assert record.error == "RuntimeError: no film left"
    assert not list(tmp_path.glob("*.parquet"))


def test_every_figure_is_stored_per_user_and_per_photo(run: Callable[..., RunResult]) -> None:
    result = run(defenses=("noise",))
    (record,) = result.records
    tables = result.tables[record.cell]
    formed = tables["users"]["formed"]
    assert sum(formed) / len(formed) == record.metrics["cfr"].value
    linf = tables["photos"]["photo_linf"]
    assert max(linf) == record.perceptual["photo"]["linf"]["worst"] == 8
    assert len(set(tables["users"]["user"])) == 2
    assert [tables["photos"]["outcome"].count(o) for o in record.outcomes] == list(record.outcomes.values())


def test_controls_stand_beside_every_cell(one: One) -> None:
    record = one(defenses=("pixelate",), channels=("jpeg:75",))
    assert set(record.controls) == {"clean", "channel", "noise", "permutation"}
    assert record.controls["clean"]["cfr"] == record.metrics["cfr_clean"]
    plain = one(defenses=("none",))
    assert plain.metrics["cfr"] == plain.controls["clean"]["cfr"]
    assert one(defenses=("noise",)).metrics["cfr"] == plain.controls["noise"]["cfr"]


def test_the_input_of_a_function_is_its_own_copy(one: One) -> None:
    def scribbles(photos: list[Image]) -> list[Image]:
        kept = [photo.copy() for photo in photos]
        for photo in photos:
            photo[:] = 0
        return kept

    assert one(defenses=(scribbles,)).perceptual["photo"]["linf"]["worst"] == 0


def test_the_time_of_an_attack_is_that_of_the_attacker(
    run: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    # what is looked at besides the released photos, and the controls, have their own lines in the cost
    timed: list[str] = []
    inside: list[str] = []
    whole, look = Clock.stage, AttackerView.look

    @contextmanager
    def stage(self: Clock, name: str) -> Iterator[None]:
        inside.append(name)
        with whole(self, name):
            yield
        inside.pop()

    def seen(self: AttackerView, *given: Any, **more: Any) -> Any:
        timed.append(inside[-1])
        return look(self, *given, **more)

    monkeypatch.setattr(Clock, "stage", stage)
    monkeypatch.setattr(AttackerView, "look", seen)
    (record,) = run(defenses=("noise",), seed=7).records
    assert set(timed) == {"observe", "controls"}
    assert set(record.cost.seconds) == {"cloak", "observe", "measure", "controls", "attack"}


def test_a_refused_cell_is_a_line_in_its_record_and_the_others_are_kept(
    run: Callable[..., RunResult],
) -> None:
    result = run(attackers=("growing", "knn"), scenario="evasion")
    refused, good = result.records
    assert (refused.status, good.status) == ("failed", "ok")
    assert refused.error is not None and "calibration" in refused.error
    assert not refused.error.startswith("RefusedError")
    (fault,) = result.faults
    assert isinstance(fault, UserError)
    # nothing is worth keeping where every cell is refused
    with pytest.raises(UserError, match="calibration"):
        run(attackers=("growing",), scenario="evasion")


def test_a_library_that_is_stopped_while_it_is_imported_is_a_stop_and_no_failed_cell(
    run: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    def imported(*given: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stop:
            raise ImportError("initialization failed") from stop

    monkeypatch.setattr("bench.experiment.stages.Stages.publish", imported)
    with pytest.raises(KeyboardInterrupt):
        run(defenses=("blur",), seed=5)
