"""What clusterers share."""
