"""The machine a run is on: its devices, its workers, and what it tells meanwhile."""
