"""From records to the formats of other tools and sites (`bench export`, docs/export.md)."""
