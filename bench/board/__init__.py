"""From records to tables and pictures.

Rows are data: typed, unrounded, with intervals. `views/` has one file for each view of the records and
`render/` one file for each format; both are found by being there.
"""
