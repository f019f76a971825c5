"""Who and what, resolved before anything runs."""
