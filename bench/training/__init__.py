"""How the built-in `synth-*` encoders were made: `python -m bench.training`, and measured: `... .evaluate`.

Nothing of the benchmark imports this package. It is the one part of `bench` that reaches a data set's
renderer directly, since it draws people that no benchmark run may ever open.
"""
