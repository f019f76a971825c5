"""The order of the stages: what was asked, run, and written down."""
