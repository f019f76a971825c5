"""What of a submission is recomputed, one file a kind of evidence."""
