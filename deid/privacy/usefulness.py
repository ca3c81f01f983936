"""What is left of a table's usefulness: by column, and over its quasi-identifiers, on one sample of its patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from deid.prepare import Prepared
from deid.privacy.measured import cost_of_sample
from deid.risk.utility import ColumnUtility, sample_of, step_of, utility_of
from deid.suppress import Decision
from deid.transform.columns import INDEX

# Loss and query error are measured on fewer rows than figures by column: about so many are enough for two digits.
COST_ROWS = 10_000


@dataclass(frozen=True)
class Usefulness:
    """Figures by column, and `costs` (rows measured, loss, query error) where there are quasi-identifiers.

    A table with a `privacy` section has its costs there, measured on all rows: then `costs` is None.
    """

    columns: list[ColumnUtility]
    costs: dict[str, Any] | None


def usefulness_of(table: Prepared, decision: Decision, allowed: pl.DataFrame | None, k: int) -> Usefulness:
    """Measure on about `utility.SAMPLE_ROWS` rows, read once; costs on `COST_ROWS`. `k` is that of the gates."""
    sample = sample_of(table)
    columns = utility_of(sample, table, decision, allowed)
    rule = table.rule
    measured = rule.quasi_identifiers and rule.privacy is None
    fewer = step_of(table) * max(1, -(-sample.height // COST_ROWS))
    costs = (
        cost_of_sample(sample.filter(pl.col(INDEX) % fewer == 0), table, decision.excluded, allowed, k)
        if measured
        else {}
    )
    return Usefulness(columns, costs or None)
