"""Training of the built-in `synth-*` encoders: `python -m bench.training`, and `... .evaluate` to measure.

No other room imports this package. It is the one part of `bench` that reaches a data set's renderer directly,
because it draws people that no benchmark run may ever open.
"""
