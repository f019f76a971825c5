"""What presets of deployed products share: encoder families, the numbers of each, second steps."""
