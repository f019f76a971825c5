"""Code that a command loads first, so that something happens at a chosen moment of it, in any checkout.

Python asks an audit hook before it opens or renames a file. What the hook raises is what the command sees.
"""

from __future__ import annotations

FAILING_OPEN = """
import os, sys
errors, opened = {errors!r}, {{}}
def fail(event, arguments):
    name = str(arguments[0]) if event == "open" else ""
    for person, number in errors.items():
        if f"{{os.sep}}{{person}}{{os.sep}}" in name:
            opened[name] = opened.get(name, 0) + 1
            if opened[name] == {at}:
                raise OSError(number, os.strerror(number), name)
sys.addaudithook(fail)
"""
"""Each photo of some people cannot be opened the so-and-so-many-th time: person -> number of the error."""

CUT_WHILE_READ = """
import pathlib, sys
state = {{"opened": {{}}, "whole": {{}}, "busy": False}}
def cut(event, arguments):
    name = str(arguments[0]) if event == "open" else ""
    if state["busy"] or not name.endswith(".jpg"):
        return
    state["busy"] = True
    path = pathlib.Path(name)
    for other in [other for other in state["whole"] if other != name]:
        pathlib.Path(other).write_bytes(state["whole"].pop(other))
    times = state["opened"][name] = state["opened"].get(name, 0) + 1
    if times == {at}:
        state["whole"][name] = path.read_bytes()
        path.write_bytes(state["whole"][name][:{keep}])
    elif name in state["whole"]:
        path.write_bytes(state["whole"].pop(name))
    state["busy"] = False
def mend():
    for other, content in state["whole"].items():
        pathlib.Path(other).write_bytes(content)
sys.addaudithook(cut)
import atexit
atexit.register(mend)
"""
"""Each photo is cut just before it is opened for the so-and-so-many-th time, and whole again afterwards."""

AWAY = """
import os, sys
state = {{"opened": 0}}
def away(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".jpg"):
        state["opened"] += 1
        if state["opened"] == {at}:
            os.rename({folder!r}, {aside!r})
sys.addaudithook(away)
"""
"""The folder of photos is renamed when a photo is opened as the so-and-so-many-th."""

SLOW_RENAME = """
import sys, time
def wait(event, arguments):
    if event == "os.rename":
        time.sleep(0.3)
sys.addaudithook(wait)
"""
"""Every renaming waits first: what several processes do at once is then done at once."""

WITHOUT = """
import sys
sys.modules[{module!r}] = None
"""
"""A package is not installed."""
