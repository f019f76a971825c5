"""What every data set promises, whatever its photos are: one promise a test, over every name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bench import registry
from bench.errors import PassingError, UserError
from bench.parameters import resolved
from bench.photos.decode import UnreadablePhoto, decode
from bench.photos.steady import Steady
from bench.plan.manifest import manifest
from bench.plan.resolve import open_dataset
from bench.plan.spec import RunSpec
from bench.store.digests import digest
from bench.types import Folders

PEOPLE, EACH = 14, 4
Names = Callable[[int, int], str]


@dataclass(frozen=True)
class Case:
    """A data set in a folder: what to type, and how its files are called."""

    text: str
    photo: Names
    below: str

    def make(self, home: Path) -> str:
        """Write its files below a BENCH_HOME, each with content of its own; returns what to type."""
        for person in range(PEOPLE):
            for at in range(EACH):
                path = home / self.below / self.photo(person, at)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"content %d %d" % (person, at))
        return self.text.replace("HOME", str(home))


CASES = {
    "lfw": Case("lfw", lambda p, i: f"Ann_{p}/Ann_{p}_{i:04d}.jpg", "data/lfw"),
    "vggface2": Case("vggface2", lambda p, i: f"n{p:06d}/{i:04d}_01.jpg", "data/vggface2/test"),
    "folder": Case("folder:HOME/my photos", lambda p, i: f"Åsa {p}, née Ö/{i}.png", "my photos"),
}
every = pytest.mark.parametrize("name", [*CASES, "synthetic"])
of_files = pytest.mark.parametrize("name", CASES)


def test_every_data_set_is_here() -> None:
    assert {*CASES, "synthetic"} == set(registry.names("datasets"))


def open_case(name: str, home: Path) -> tuple[Any, Any]:
    """The plug-in and the opened data set."""
    text = CASES[name].make(home) if name in CASES else f"synthetic:people={PEOPLE},photos-each={EACH}"
    plugin = registry.make("datasets", text)[1]
    return plugin, plugin.open(Folders(home=str(home)))


@pytest.fixture
def shuffled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A file system that lists folders in another order."""
    plain = os.scandir

    class Backwards:
        def __init__(self, path: Any) -> None:
            with plain(path) as inside:
                self._entries = sorted(inside, key=lambda e: digest("order", e.name))

        def __enter__(self) -> Iterator[Any]:
            return iter(self._entries)

        def __exit__(self, *_: object) -> None: ...

        def __iter__(self) -> Iterator[Any]:
            return iter(self._entries)

    monkeypatch.setattr(os, "scandir", Backwards)
    yield


@every
def test_the_catalogue_names_each_photo_once_in_order(name: str, tmp_path: Path) -> None:
    catalogue = open_case(name, tmp_path)[1].catalogue()
    assert list(catalogue.photos) == sorted(set(catalogue.photos))
    assert len(catalogue.identities) == len(catalogue.photos) == PEOPLE * EACH
    assert {catalogue.identities.count(person) for person in catalogue.identities} == {EACH}
    assert not set(catalogue.left_out) & set(catalogue.photos)


@every
def test_the_card_is_complete(name: str, tmp_path: Path) -> None:
    card = open_case(name, tmp_path)[1].card
    assert card.name == name
    assert len(card.revision) == 64
    assert (card.identities, card.photos) == (PEOPLE, PEOPLE * EACH)
    assert card.licence
    assert card.citation


@every
def test_a_photo_has_a_digest_and_content(name: str, tmp_path: Path) -> None:
    data = open_case(name, tmp_path)[1]
    photos = data.catalogue().photos
    assert len({data.digest(photo) for photo in photos}) == len(photos)
    few = [photos[5], photos[0]]
    one_by_one = [data.read([photo])[0] for photo in few]
    for a, b in zip(data.read(few), one_by_one, strict=True):
        assert bytes(a) == bytes(b)


@of_files
def test_the_same_photos_elsewhere_are_the_same_data_set(name: str, tmp_path: Path, shuffled: None) -> None:
    first = open_case(name, tmp_path / "first")[1]
    os_order = open_case(name, tmp_path / "second")[1]
    assert first.card == os_order.card
    assert first.catalogue().photos == os_order.catalogue().photos


@of_files
def test_the_manifest_says_the_same_everywhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    def rows(home: Path, seed: int = 3) -> list[tuple[str, int, str]]:
        spec = RunSpec(dataset=CASES[name].text.replace("HOME", str(home)), users=3, photos=4, seed=seed)
        _, data, parts = open_dataset(spec, Folders(home=str(home)))
        return manifest(parts, data.digest)

    CASES[name].make(tmp_path / "here")
    here = rows(tmp_path / "here")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    request.getfixturevalue("shuffled")
    assert rows(tmp_path / "there") == here
    assert rows(tmp_path / "there", seed=4) != here
    assert [row for row in here if row[0] == "released"] == here[: 3 * 4]


@every
def test_a_record_holds_no_path_and_nobodys_name(name: str, tmp_path: Path) -> None:
    plugin, data = open_case(name, tmp_path)
    record = str({**resolved(plugin), **data.card.resolved}) + str(data.card)
    assert str(tmp_path) not in record
    assert "my photos" not in record
    assert not [person for person in set(data.catalogue().identities) if person in record]


@of_files
def test_another_content_is_another_revision(name: str, tmp_path: Path) -> None:
    plugin, data = open_case(name, tmp_path)
    before = data.card.revision
    changed = next((tmp_path / CASES[name].below).rglob("*.*g"))
    changed.write_bytes(b"content X X")  # of the same length as before
    after = plugin.open(Folders(home=str(tmp_path)))
    assert after.card.revision != before


@of_files
@pytest.mark.parametrize("asked_before", [True, False])
def test_a_photo_that_is_gone_is_an_error_of_the_moment(
    name: str, tmp_path: Path, asked_before: bool
) -> None:
    data = Steady(open_case(name, tmp_path)[1])
    gone, kept = data.catalogue().photos[:2]
    digest = data.digest(gone) if asked_before else ""
    path = next(p for p in (tmp_path / CASES[name].below).rglob("*") if str(p).endswith(gone))
    path.rename(tmp_path / "aside")
    with pytest.raises(PassingError, match=r"No such file or directory.*Bring it back"):
        data.read([kept, gone])
    assert [bytes(content[:7]) for content in data.read([kept])] == [b"content"]
    (tmp_path / "aside").rename(path)
    (content,) = data.read([gone])
    assert sha256(bytes(content)).hexdigest() == data.digest(gone)
    assert digest in ("", data.digest(gone))


@of_files
def test_a_photo_that_changes_keeps_its_digest_and_is_not_read(name: str, tmp_path: Path) -> None:
    plugin, opened = open_case(name, tmp_path)
    data = Steady(opened)
    changed, kept = data.catalogue().photos[:2]
    revision, digest = data.card.revision, data.digest(changed)
    path = next(p for p in (tmp_path / CASES[name].below).rglob("*") if str(p).endswith(changed))
    path.write_bytes(b"")
    with pytest.raises(PassingError, match="no longer the file that it was"):
        data.read([kept, changed])
    assert (data.card.revision, data.digest(changed)) == (revision, digest)
    later = plugin.open(Folders(home=str(tmp_path)))
    assert later.digest(changed) == sha256(b"").hexdigest()


@of_files
def test_truncated_photos_stay_in_the_catalogue(name: str, tmp_path: Path) -> None:
    # nothing is decoded to list photos: what is wrong with one is its outcome, and counted
    data = open_case(name, tmp_path)[1]
    with pytest.raises(UnreadablePhoto, match="not a photo"):
        decode(data.read(data.catalogue().photos[:1])[0])


def one_line(text: str, home: Path) -> str:
    with pytest.raises(UserError) as caught:
        registry.make("datasets", text)[1].open(Folders(home=str(home)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@of_files
@pytest.mark.parametrize("state", ["missing", "empty", "no photos", "a file"])
def test_a_root_that_is_none(name: str, state: str, tmp_path: Path) -> None:
    case = CASES[name]
    root = tmp_path / case.below.removesuffix("/test")
    if state == "a file":
        root.parent.mkdir(parents=True, exist_ok=True)
        root.write_text("in the way")
    elif state != "missing":
        root.mkdir(parents=True)
        if state == "no photos":
            (root / "Ann").mkdir()
            (root / "Ann" / "notes.txt").write_text("nothing to see")
    said = one_line(case.text.replace("HOME", str(tmp_path)), tmp_path)
    assert str(root) in said
    assert f"data set {name!r}" in said


@pytest.mark.parametrize("name", ["lfw", "vggface2"])
def test_a_root_of_ones_own(name: str, tmp_path: Path) -> None:
    CASES[name].make(tmp_path / "x")
    root = tmp_path / "x" / CASES[name].below.removesuffix("/test")
    data = registry.make("datasets", f"{name}:root={root}")[1].open(Folders(home="/nonexistent"))
    assert data.card.photos == PEOPLE * EACH
    assert str(root / "no") in one_line(f"{name}:root={root / 'no'}", tmp_path)


@of_files
def test_a_folder_that_may_not_be_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CASES[name].make(tmp_path)
    root = tmp_path / CASES[name].below
    plain = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path) == root:
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path)

    monkeypatch.setattr(os, "scandir", refuse)
    said = one_line(text, tmp_path)
    assert f"cannot read {root}: Permission denied" in said


@of_files
def test_fewer_people_than_users(name: str, tmp_path: Path) -> None:
    text = CASES[name].make(tmp_path)
    for users, photos, says in (99, 4, "99 users asked for"), (None, 9, "0 people with 9 photos"):
        with pytest.raises(UserError, match=says):
            open_dataset(RunSpec(dataset=text, users=users, photos=photos), Folders(home=str(tmp_path)))
