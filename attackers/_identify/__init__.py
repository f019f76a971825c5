"""What identifiers share: the labelled gallery, the scores of people, the rejection of strangers."""
