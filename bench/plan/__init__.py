"""Who and what: cells, splits and suites, resolved before anything runs."""
