"""The claims table of the benches: 25.5 rows per patient, 40 regions, ten years, as CSV and as Parquet.

Both hold the same rows. Parquet has typed columns (dates, whole numbers), as a warehouse writes it; identifiers are
text. Rows are drawn a stretch at a time, so that a table of any size is made in bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

ROWS_PER_PATIENT = 25.5
STRETCH = 2_000_000
ROW_GROUP = 250_000
SEED = 20261124
FAMILY = "김이박최정강조윤장임"
GIVEN = ("민준", "서연", "도윤", "하은", "지호", "지우", "예준", "서윤", "시우", "하윤")


def write_claims(folder: Path, rows: int, formats: tuple[str, ...]) -> None:
    """Write `claims.csv`, `claims.parquet` or both into `folder`."""
    with ExitStack() as stack:
        text = stack.enter_context((folder / "claims.csv").open("wb")) if "csv" in formats else None
        parquet: pq.ParquetWriter | None = None
        for at, frame in enumerate(drawn(rows)):
            if text:
                frame.write_csv(text, include_header=not at)
            if "parquet" in formats:
                table = frame.to_arrow()
                if parquet is None:
                    made = pq.ParquetWriter(folder / "claims.parquet", table.schema, compression="zstd")
                    parquet = stack.enter_context(made)
                parquet.write_table(table, row_group_size=ROW_GROUP)


def drawn(rows: int) -> Iterator[pl.DataFrame]:
    """Draw the rows, at most `STRETCH` at a time."""
    random = np.random.default_rng(SEED)
    people = max(1, int(rows / ROWS_PER_PATIENT))
    names = np.array([first + second for first in FAMILY for second in GIVEN])
    of_person = {
        "rrn": random.integers(10**12, 10**13, people).astype(str),
        "name": names[random.integers(0, names.size, people)],
        "birth_date": np.datetime64("1925-01-01") + random.integers(0, 33000, people),
        "sex": np.array(["F", "M"])[random.integers(0, 2, people)],
        "zip": (random.integers(100, 140, people) * 100 + random.integers(0, 100, people)).astype(str),
    }
    codes = np.array(
        [f"{letter}{number:02d}.{part}" for letter in "ABCDEFGHIJ" for number in range(50) for part in range(3)]
    )
    drugs = random.integers(10**8, 10**9, 2000).astype(str)
    hospitals = np.array([f"H{number:03d}" for number in range(200)])
    memos = np.array([f"정기 진료 {number}회, 약 처방함" for number in range(500)])
    for begun in range(0, rows, STRETCH):
        size = min(STRETCH, rows - begun)
        patient = random.integers(0, people, size)
        columns = {
            "patient_id": pl.Series(patient).cast(pl.String).str.zfill(14),
            **{name: pl.Series(values[patient]) for name, values in of_person.items()},
            "visit_date": pl.Series(np.datetime64("2014-01-01") + random.integers(0, 3650, size)),
            "kcd": codes[random.integers(0, codes.size, size)],
            "drug": drugs[random.integers(0, drugs.size, size)],
            "amount": random.integers(1000, 500_000, size),
            "hospital": hospitals[random.integers(0, hospitals.size, size)],
            "memo": memos[random.integers(0, memos.size, size)],
        }
        yield pl.DataFrame(columns).with_columns(pl.col("birth_date", "visit_date").cast(pl.Date))
