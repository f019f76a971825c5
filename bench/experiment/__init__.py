"""The order of the stages: from a command to records and files."""
