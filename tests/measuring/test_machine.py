"""What differs on a GPU, with stand-ins for a card: no GPU is needed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import gpu_tables
import pytest
import torch

from measuring import machine
from measuring.record import Record
from measuring.setting import Setting

CARD = SimpleNamespace(name="Z80 Turbo", total_memory=2**36, major=9, minor=0, multi_processor_count=132)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A card on which 100 MiB are taken, and 140 at most; the names of the calls that it got."""
    calls: list[str] = []
    memory = {"memory_allocated": 100 * 2**20, "max_memory_allocated": 140 * 2**20}
    for name in ("empty_cache", "reset_peak_memory_stats", "synchronize", *memory):

        def call(*_: object, name: str = name) -> int:
            calls.append(name)
            return memory.get(name, 0)

        monkeypatch.setattr(torch.cuda, name, call)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: CARD)
    return calls


def test_a_record_names_the_card_and_the_page_shows_it(card: list[str]) -> None:
    about = machine.described("cuda")
    assert (about["card"], about["memory_gib"], about["capability"]) == ("Z80 Turbo", 64, "9.0")
    record = Record(dry=False, machine=about, setting=Setting("cuda").plain(), limit_seconds=1)
    assert record.file_name == "gpu-z80-turbo.json"
    page = gpu_tables.section(record).splitlines()
    assert page[0] == "### Z80 Turbo"
    assert "| GPU | 64 GiB, compute capability 9.0 |" in page
    assert replace(record, dry=True).file_name == "dry-run.json"


def test_a_cpu_has_no_card() -> None:
    assert machine.described("cpu")["card"] is None


def test_time_ends_when_the_device_is_done(card: list[str]) -> None:
    machine.seconds(lambda: card.append("work"), "cuda")
    assert card == ["synchronize", "work", "synchronize"]
    card.clear()
    machine.seconds(lambda: card.append("work"), "cpu")
    assert card == ["work"]


def test_peak_memory_is_what_the_work_took_besides_what_was_there(card: list[str]) -> None:
    # 140 MiB at most, 100 of them before
    assert machine.peak(lambda: card.append("work"), "cuda") == 40
    assert card.index("reset_peak_memory_stats") < card.index("memory_allocated") < card.index("work")
    assert card.index("work") < card.index("synchronize") < card.index("max_memory_allocated")
