"""Drawing a twin from a profile: tables with the same columns and types, fresh patients, no row of anybody.

Every column is drawn by itself. The same patients stand in all tables, so that joins work; how many rows each has is
drawn too. At most `MOST_PATIENTS` and about `MOST_ROWS` rows a table: enough to write code against.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deid.twin.profile import Bins, Categories, ColumnProfile, Kind, Phrases, Profile, Pseudonyms, TableProfile

MOST_PATIENTS = 1_000
MOST_ROWS = 50_000
PSEUDONYM_BYTES = 16
PHRASES = (
    "(합성) 정기 방문. 특이 사항 없음.",
    "(합성) 증상 호전되어 약 유지함.",
    "(합성) 검사 결과 설명하고 다음 방문을 예약함.",
    "(합성) synthetic note: no complaint, follow-up as planned.",
)
DTYPES = {
    "Int64": pl.Int64, "Int32": pl.Int32, "Float64": pl.Float64, "Date": pl.Date, "Boolean": pl.Boolean,
    "String": pl.String,
}  # fmt: skip


def drawn(profile: Profile, seed: bytes) -> dict[str, pl.DataFrame]:
    """Draw all tables. The same profile and seed give the same tables."""
    random = np.random.default_rng(int.from_bytes(seed))
    patients = _pseudonyms(random, min(profile.patients, MOST_PATIENTS))
    return {table.name: _table(random, table, patients) for table in profile.tables}


def _table(random: np.random.Generator, table: TableProfile, patients: pl.Series) -> pl.DataFrame:
    present = max(1, round(table.present * patients.len()))
    who = np.sort(random.permutation(patients.len())[:present])
    counts = np.maximum(1, _values(random, table.rows, present).cast(pl.Int64).to_numpy())
    # Whole patients only: a patient who is cut short would have a history that nobody has.
    kept = max(1, int(np.searchsorted(np.cumsum(counts), MOST_ROWS, side="right")))
    rows = np.repeat(np.arange(kept), counts[:kept])
    columns = {table.subject: patients.gather(who[:kept]).gather(rows)}
    for column in table.columns:
        columns[column.name] = _column(random, column, rows, kept)
    return pl.DataFrame({name: columns[name] for name in table.order})


def _column(random: np.random.Generator, column: ColumnProfile, rows: NDArray[np.intp], patients: int) -> pl.Series:
    if isinstance(column.kind, Phrases) and column.dtype != "String":
        return pl.Series(column.name, [None], dtype=DTYPES[column.dtype]).new_from_index(0, rows.size)
    size = patients if column.per_patient else rows.size
    values = _values(random, column.kind, size)
    values = values.gather(rows) if column.per_patient else values
    gone = random.random(rows.size) < column.missing
    values = pl.select(pl.when(pl.Series(~gone)).then(values)).to_series()
    return values.cast(DTYPES[column.dtype]).alias(column.name)


def _values(random: np.random.Generator, kind: Kind, size: int) -> pl.Series:
    match kind:
        case Categories(values=values, weights=weights):
            return pl.Series(values).gather(random.choice(len(values), size, p=_shares(weights)))
        case Bins():
            return _within(random, kind, size)
        case Pseudonyms(per_row=share):
            pool = _pseudonyms(random, max(1, round(share * size)))
            # Each at least once if there is room: what is unique in the rows stays unique.
            at = np.concatenate([np.arange(pool.len()), random.integers(0, pool.len(), size)])[:size]
            return pool.gather(random.permutation(at))
        case Phrases():
            return pl.Series(PHRASES).gather(random.integers(0, len(PHRASES), size))


def _within(random: np.random.Generator, bins: Bins, size: int) -> pl.Series:
    at = random.choice(len(bins.weights), size, p=_shares(bins.weights))
    edges = np.array(bins.edges)
    values = np.round(edges[at] + random.random(size) * (edges[at + 1] - edges[at]), bins.decimals)
    return pl.Series(values) if bins.decimals else pl.Series(values.astype(np.int64))


def _shares(weights: Sequence[float]) -> NDArray[np.float64]:
    found = np.array(weights, np.float64)
    return found / found.sum() if found.sum() > 0 else np.full(found.size, 1 / found.size)


def _pseudonyms(random: np.random.Generator, size: int) -> pl.Series:
    digits = random.bytes(PSEUDONYM_BYTES * size).hex()
    width = 2 * PSEUDONYM_BYTES
    return pl.Series([digits[at : at + width] for at in range(0, len(digits), width)], dtype=pl.String)
