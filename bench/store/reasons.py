"""What another library's error says, on one line: the reason first, and not where in its code it arose."""

from __future__ import annotations

import re

MOST = 200
"""Characters of a reason; what is longer is cut at its end."""

_TRACEBACK = re.compile(r"^\s*Traceback\b", re.MULTILINE)
_FRAMES = re.compile(r"\s*Exception raised from .*", re.DOTALL)  # torch's C++ frames, from here to the end
_CODE = re.compile(r"^\s*\[[A-Za-z]*(?:Error|Exception)\]\s*:\s*\d+\s*:\s*[A-Z_]+\s*:\s*")
_ENFORCE = re.compile(r"^\s*\[enforce fail at [^\]]*\]\s*\.?\s*")
_PLACE = re.compile(r"^\s*\S*\.(?:cc|cpp|cxx|cu|cuh|c|h|hpp|py|rs):\d+:?\s*")
_NODE = re.compile(
    r'^\s*(?:.*?failed:\s*)?This is an invalid model\. In Node, \("[^"]*", (\w+),.*?, Error (.*)$', re.DOTALL
)
_RUNNING = re.compile(
    r"^\s*Non-zero status code returned while running (\w+) node\. Name:.*?Status Message:\s*(.*)$", re.DOTALL
)
_NEWER = (
    (re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)"), "IR version"),
    (re.compile(r"ONNX Runtime only .*?Opset (\d+) is under .* till opset (\d+)", re.DOTALL), "opset"),
)


def reason(error: BaseException | str, most: int = MOST) -> str:
    """The reason of an error.

    Args:
        error: The error, or its text.
        most: How many characters the reason may have.

    Returns:
        One line without codes, places in C++ files and signatures before the reason. The error's type where
        the error says nothing.
    """
    text = str(error)
    if _TRACEBACK.search(text):
        # of a TorchScript program: the last line says what went wrong
        text = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    text = _FRAMES.sub("", text)
    before = None
    while text != before:
        before = text
        for pattern in (_CODE, _ENFORCE):
            text = pattern.sub("", text)
        for pattern in (_NODE, _RUNNING):
            if match := pattern.match(text):
                text = f"{_without_place(match[2]).strip()} (node {match[1]})"
        text = _without_place(text)
    for pattern, what in _NEWER:
        if match := pattern.search(text):
            text = f"its {what} {match[1]} is newer than onnxruntime here knows, which is {match[2]}"
    line = " ".join(text.split()) or (type(error).__name__ if isinstance(error, BaseException) else "")
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _without_place(text: str) -> str:
    """A text without the file and the line that it begins with, and without the function behind these."""
    place = _PLACE.match(text)
    return text if place is None else _without_function(text[place.end() :])


def _without_function(text: str) -> str:
    """A text without the C++ function that it begins with: `void a::b(const c&) const`, or `Compute`."""
    opened = text.find("(")
    head = text[:opened] if opened >= 0 else ""
    if "::" not in head and not re.fullmatch(r"operator|\w+\s[\w:&*<>]+", head.strip()):
        # one name of a function, in front of a sentence
        return re.sub(r"^\s*[A-Za-z_]\w*(?:::\w+)*\s+(?=[A-Z])", "", text)
    depth = 0
    for at in range(opened, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return re.sub(r"^\s*(?:const|noexcept)\b\s*|^\s*\[with .*?\]\s*", "", text[at + 1 :])
    return text
