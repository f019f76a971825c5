"""How a GPU is checked and timed: the steps of `make gpu-check`, and what they share with `tests/perf`.

Everything here needs torch, numpy, Pillow, safetensors and threadpoolctl alone. A step that needs more is
skipped where that is missing, and says so.
"""
