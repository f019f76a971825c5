"""BibTeX: `references.bib`, an entry for every work behind what a board used, the project's own first.

Words of strangers, such as the source of a user's own encoder, are escaped: BibTeX counts braces even where
LaTeX would not, so theirs become brackets.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench import __version__
from bench.board.render.latex import escaped
from bench.exports.source import Source
from bench.exports.works import OURS, UNPUBLISHED, Used, cited, remaining, used, works
from bench.site.names import slug

_FILE = "references.bib"
_OWN = ("said", "dataset", "type")
"""Keys of the table that are no fields of BibTeX."""


def files(source: Source) -> dict[str, bytes]:
    """The one file. A comment before an entry names what it stands for; the last ones what has no source."""
    things = used(source.records)
    behind: dict[str, list[Used]] = {key: [] for key in OURS}
    for thing in things:
        for key in cited(thing):
            behind.setdefault(key, []).append(thing)
    texts = [_remark(of) + _entry(key, _fields(key)) for key, of in behind.items()]
    texts += [text for thing in things for text in _stated(thing)]
    texts += [_comment(f"{thing.kind} {thing.name}: {why}") for thing in things if (why := _without(thing))]
    return {_FILE: "\n".join(texts).encode()}


def _fields(key: str) -> Mapping[str, str]:
    """The fields of a work of the table; titles keep their capitals."""
    work = works()[key]
    version = {"note": f"Version {__version__}"} if key == OURS[0] else {}
    return {**work, "title": f"{{{work['title']}}}", **version}


def _entry(key: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items() if name not in _OWN]
    return f"@{fields.get('type', 'misc')}{{{key},\n{''.join(lines)}}}\n"


def _stated(thing: Used) -> list[str]:
    """Entries of what only a card says: its words are the note."""
    key = f"{thing.kind}-{slug(thing.name)}"
    entries = []
    for number, words in enumerate(remaining(thing), 1):
        fields = {"title": f"{{{_safe(thing.name)}}}", "note": _safe(words)}
        entries.append(_remark([thing]) + _entry(f"{key}-{number}", fields))
    return entries


def _without(thing: Used) -> str:
    """Why something has no entry; empty where it has one."""
    if cited(thing) or any(remaining(thing)):
        return ""
    if thing.source is None:
        return "its source is not known here"
    return "no work behind it" if thing.source in UNPUBLISHED else "cite cloakbench, or the photos' owner"


def _remark(of: list[Used]) -> str:
    return _comment(", ".join(f"{thing.kind} {thing.name}" for thing in of)) if of else ""


def _comment(words: str) -> str:
    """A line that BibTeX skips: it would begin an entry at any `@`."""
    return f"% {_safe(words)}\n"


def _safe(words: str) -> str:
    plain = words.replace("{", "(").replace("}", ")").replace("@", "(at)")
    return escaped(plain)
