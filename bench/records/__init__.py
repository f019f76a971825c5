"""The records of cells, and the files that they lie in."""

from bench.plan.scenarios import PROTOCOL
from bench.records.files import Records, read, schema
from bench.records.record import SCHEMA_VERSION, CellRecord, Cost, Metric, Named

__all__ = [
    "PROTOCOL",
    "SCHEMA_VERSION",
    "CellRecord",
    "Cost",
    "Metric",
    "Named",
    "Records",
    "read",
    "schema",
]
