"""A record says with which libraries it was computed: all that any stage stands on."""

from __future__ import annotations

from bench import registry
from bench.encoders.families import own
from bench.faces import detectors
from bench.machine.environment import LIBRARIES, environment
from bench.store.code import libraries_of


def test_a_record_names_every_library_that_a_stage_or_a_plugin_stands_on() -> None:
    plugins = [
        registry.load(kind, name).__module__
        for kind in ("attackers", "defenses", "datasets")
        for name in registry.names(kind)
    ]
    families = [family.module for family in own()]
    found_by = [detectors.lookup(name).module for name in detectors.names()]
    modules = ("bench.experiment.pipeline", *plugins, *families, *found_by)
    needed = {name for module in modules for name in libraries_of(module)}
    assert needed - set(LIBRARIES) == set()


def test_a_record_says_with_what_it_was_clustered() -> None:
    packages = environment()["packages"]
    assert isinstance(packages, dict)
    assert packages["faiss-cpu"] != "absent"
