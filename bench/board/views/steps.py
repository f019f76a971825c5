"""`steps`: a row is a defense: what one step from DBSCAN on its surrogate does, and what anything does.

In brackets stands whose rate it is. `*`: users fare otherwise than in the first of these columns (exact
McNemar, Holm over all cells of the row). `weak`: nobody who was tried there finds enough people on clean
photos, so that a low rate says nothing. `failed`: so many cells have no result, whatever it would have been.
"""

from __future__ import annotations

from bench.board.one_step import KIND, StepRow, step_rows
from bench.board.table import Column, View
from bench.board.views._settings import further_settings, settings

COLUMNS: tuple[Column[StepRow], ...] = (
    *settings("dataset", "defense", "surrogate", "budget", "distractors", "draw"),
    *further_settings(),
    Column("users", lambda row: row.users, place=9),
    Column("DBSCAN on the surrogate", lambda row: row.dbscan_on_surrogate, place=2),
    Column("another clusterer", lambda row: row.another_clusterer),
    Column("another encoder", lambda row: row.another_encoder),
    Column("both", lambda row: row.both),
    Column("a platform", lambda row: row.platform),
    Column("thresholds tuned on cloaks", lambda row: row.tuned_on_cloaks),
    Column("an encoder that was adapted", lambda row: row.adapted_encoder),
    Column("a purifier", lambda row: row.purifier),
    Column("part of the photos cloaked", lambda row: row.part_cloaked),
    Column("anything, same encoder", lambda row: row.anything_same_encoder),
    Column("anything", lambda row: row.anything, place=3),
    Column("named among clean photos", lambda row: row.named, place=4),
    Column("named through another encoder", lambda row: row.named_another_encoder, place=5),
    Column("not ok", lambda row: row.not_ok or None, place=10),
    Column("contamination", lambda row: row.contamination, place=11),
)

VIEW = View(KIND, COLUMNS, step_rows, of_users=True)
