"""The attack: whoever recognises people is tuned, let loose on a collection, and judged."""
