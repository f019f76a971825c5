"""Engines: who computes the cells of a run. The store is the only truth.

An engine has the cells of a run computed by other processes, into the store. Then the run goes through all
cells as it always does, and finds them there. Nothing lives in a worker: it writes a result before it says
that it is done, and what it says is a digest.

`tasks` says what is handed over and does it, `schedule` what may be done at once, `drive` sees that all of
it is done, and a pool (`processes`, `dask_pool`, `slurm`) is where.
"""
