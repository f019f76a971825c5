"""Text that others may have written, made safe for where it is going: a log, an annotation, XML, a page."""

from __future__ import annotations

import re

from bench.board.escaping import printable

LONGEST = 300
"""Characters of one field in a report."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def short(text: str, most: int = LONGEST) -> str:
    """One printable line of at most so many characters."""
    line = " ".join(printable(text[: 2 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def logged(text: str) -> str:
    """A text for the log of a job, in which nothing is a command to the machine that runs the job.

    GitHub obeys lines that begin with `::`, and the older `##[…]` anywhere in a line.
    """
    return text.replace("::", ": :").replace("##[", "## [")


def annotated(text: str, *, in_property: bool = False) -> str:
    """A text in a workflow command: what ends the message, or a property of it, is written as its code."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C") if in_property else escaped


def for_xml(text: str) -> str:
    """A text without the characters that no XML may hold, not even escaped."""
    return _NOT_XML.sub("�", printable(text))
