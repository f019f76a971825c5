"""The uncertainty of a figure: intervals, paired tests and power."""
