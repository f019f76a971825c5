"""How encoders are written: whatever list of names is written and read again is itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import encoders
from bench.adaptations import ensembles
from bench.encoders import written
from bench.encoders.families.synth import cards
from bench.encoders.written import Written
from bench.errors import UserError
from bench.types import Folders

SCHEMES, LISTED = ("onnx", "torchscript"), ("synth-ir", "synth-vit", "onnx", "mean", "a.b_c-1")
PIECES = st.sampled_from(
    [*"+:\"'/ \\\n", "onnx:", "mean:", "weighted:", "synth-ir", "+synth-ir", '""', '"+', "net.onnx", "é"]
)
PATHS = st.lists(st.one_of(PIECES, st.characters()), max_size=8).map("".join)
MEMBERS = st.one_of(st.sampled_from(LISTED), st.builds("{}:{}".format, st.sampled_from(SCHEMES), PATHS))


@settings(max_examples=400)
@given(st.lists(MEMBERS, min_size=1, max_size=4), st.sampled_from(["", *written.RULES]))
def test_what_is_written_is_read_as_itself(members: list[str], rule: str) -> None:
    group = Written(tuple(members), rule)
    assert written.read(str(group), SCHEMES, LISTED) == group


@settings(max_examples=400)
@given(st.one_of(PATHS, st.text()))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        read = written.read(text, SCHEMES, LISTED)
    except UserError as error:
        assert "\n" not in str(error)
        return
    # what was read is written in a way that says the same
    assert all(read.members)
    if all(name in LISTED or name.partition(":")[0] in SCHEMES for name in read.members):
        assert written.read(str(read), SCHEMES, LISTED) == read


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("onnx:net+x.onnx", ("onnx:net+x.onnx",)),
        ("onnx:a.onnx+synth-ir", ("onnx:a.onnx", "synth-ir")),
        ("synth-ir+onnx:a.onnx", ("synth-ir", "onnx:a.onnx")),
        ("synth-ir+onnx:a+b.onnx", ("synth-ir", "onnx:a+b.onnx")),
        ("onnx:a+b.onnx+synth-ir", ("onnx:a+b.onnx", "synth-ir")),
        ("onnx:a+b.onnx+torchscript:c+d.pt", ("onnx:a+b.onnx", "torchscript:c+d.pt")),
        ('onnx:"a+synth-ir"+synth-ir', ("onnx:a+synth-ir", "synth-ir")),
        ('onnx:"say ""hi""+.onnx"', ('onnx:say "hi"+.onnx',)),
        ("onnx:a:b.onnx", ("onnx:a:b.onnx",)),
        ("lfw:root=x", ("lfw:root=x",)),
    ],
)
def test_where_a_path_ends(text: str, members: tuple[str, ...]) -> None:
    assert written.read(text, SCHEMES, LISTED) == Written(members)


@pytest.mark.parametrize(
    "text", ["", "+", "synth-ir+", "+synth-ir", "synth-ir++synth-vit", "mean:", "weighted:"]
)
def test_a_missing_name_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match="a name is missing"):
        encoders.read(text)


@pytest.mark.parametrize("text", ['onnx:"a', 'onnx:"a"b', 'onnx:"a""', 'onnx:"'])
def test_an_open_quote_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match="a quoted path ends at a quote"):
        encoders.read(text)


def test_a_name_twice_is_one_member() -> None:
    known = {card.name: card for card in cards()}
    for text in ("synth-ir+synth-ir", "mean:synth-ir+synth-ir", "weighted:synth-ir+synth-ir", "synth-ir"):
        assert ensembles.parse(text, known.__getitem__) == (known["synth-ir"], (known["synth-ir"],))


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("./my.onnx", "onnx:./my.onnx"),
        ("a+b/My.ONNX", 'onnx:"a+b/My.ONNX"'),
        ("my.pt", "torchscript:my.pt"),
        ("/tmp/my.ts", "torchscript:/tmp/my.ts"),
    ],
)
def test_a_file_without_its_form_is_told_how(name: str, typed: str, folders: Folders) -> None:
    with pytest.raises(UserError) as caught:
        encoders.lookup(name)
    assert f"For a file of yours type {typed}, with a card" in str(caught.value)


def test_a_mistyped_name_behind_a_file_is_told(tmp_path: Path, folders: Folders) -> None:
    (tmp_path / "net.onnx").touch()
    (member,) = encoders.read(f"onnx:{tmp_path}/net.onnx+synht-ir").members
    with pytest.raises(UserError, match=r"net.onnx is there, and no encoder is called 'synht-ir'"):
        encoders.lookup(member)
