"""What stages cost: measured while they run, kept beside the results, and part of no result."""
