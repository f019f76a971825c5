"""The machine that a run is on: its devices, its workers and its environment, and progress."""
