"""The attack: attackers are tuned, run on a collection, and judged."""
