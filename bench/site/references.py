"""Rows of defenses that optimise against nothing: they stand beside those of every track of their setting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bench.board.leaders import UNINFORMED
from bench.board.panel import Standing
from bench.board.tracks import but_for

Track = Sequence[Standing]


class References:
    """Which tracks stand beside which."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        """Sort the tracks by what they share.

        Args:
            tracks: All of a site.
        """
        self._of: dict[tuple[str, str], list[Standing]] = defaultdict(list)
        self._informed: set[tuple[str, str]] = set()
        for track in tracks:
            if _is_reference(track[0]):
                self._of[_setting(track)].extend(track)
            else:
                self._informed.add(_setting(track))

    def beside(self, track: Track) -> Track:
        """The rows to be shown below those of a track; none below those that are references themselves."""
        return [] if _is_reference(track[0]) else self._of.get(_setting(track), [])

    def shown_elsewhere(self, track: Track) -> bool:
        """Whether all rows of a track stand below those of another."""
        return _is_reference(track[0]) and _setting(track) in self._informed


def _is_reference(standing: Standing) -> bool:
    """Whether a row is there to be compared with, because its defense has no threat model."""
    return standing.row.knowledge == UNINFORMED


def _setting(track: Track) -> tuple[str, str]:
    return but_for(track[0].first, "knowledge"), track[0].row.figure
