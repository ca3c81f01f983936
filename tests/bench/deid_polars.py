"""The pandas script (`deid_naive.py`) as somebody who knows Polars writes it: lazy, each identifier hashed once.

Same work, same keys, same result. It checks no input, encrypts and signs nothing, and writes no report.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import polars_hash as plh

from tests.bench.deid_naive import MAX_DAYS, K
from tests.bench.spent import told


def main(source: Path, target: Path, keys: list[str]) -> None:
    """Read `source`, write `target`; keys of patient, resident number and shift."""
    rows = scanned(source).drop("name")
    patient = tags(rows, "patient_id", {"patient": keys[0], "shift": keys[2]})
    rrn = tags(rows, "rrn", {"number": keys[1]})
    step = pl.col("shift").str.slice(0, 12).str.to_integer(base=16, dtype=pl.Int64) % (2 * MAX_DAYS)
    days = pl.when(step < MAX_DAYS).then(step - MAX_DAYS).otherwise(step - MAX_DAYS + 1)
    born, seen = pl.col("birth_date"), pl.col("visit_date")
    age = (digits(seen) - digits(born)) // 10_000
    low = age // 5 * 5
    band = pl.when(age >= 85).then(pl.lit("85+")).otherwise(pl.concat_str(low, pl.lit("-"), low + 4))
    rows = rows.join(patient.lazy(), on="patient_id").join(rrn.lazy(), on="rrn").select(
        pl.col("patient").str.slice(0, 32).alias("patient_id"), pl.col("number").str.slice(0, 32).alias("rrn"),
        band.alias("age_band"), "sex", pl.col("zip").str.slice(0, 3).alias("zip3"),
        (seen + pl.duration(days=days)).alias("visit_date"), "kcd", "drug", "amount",
        "hospital", "memo",
    )  # fmt: skip
    table = rows.collect(engine="streaming").with_columns(pl.col("visit_date").dt.year().alias("year"))
    keys_of_class = ["age_band", "sex", "zip3", "year"]
    classes = table.lazy().group_by(keys_of_class).agg(pl.col("patient_id").n_unique().alias("people"))
    left = table.lazy().join(classes.filter(pl.col("people") >= K), on=keys_of_class, how="semi").drop("year")
    left.collect().write_parquet(target, compression="zstd", compression_level=3, row_group_size=131_072)


def scanned(source: Path) -> pl.LazyFrame:
    """Scan CSV, or Parquet with typed columns."""
    if source.suffix == ".parquet":
        return pl.scan_parquet(source)
    rows = pl.scan_csv(source, infer_schema=False)
    return rows.with_columns(pl.col("birth_date", "visit_date").str.to_date(), pl.col("amount").cast(pl.Int64))


def tags(rows: pl.LazyFrame, column: str, keys: dict[str, str]) -> pl.DataFrame:
    """HMAC-SHA256 of each distinct value of a column under some keys."""
    found = rows.select(pl.col(column).unique()).collect(engine="streaming")
    return found.with_columns(
        plh.col(column).chash.hmac_sha256(key=key).alias(name)  # type: ignore[attr-defined]
        for name, key in keys.items()
    )


def digits(day: pl.Expr) -> pl.Expr:
    """Give a date as the number YYYYMMDD."""
    return day.dt.year().cast(pl.Int32) * 10_000 + day.dt.month().cast(pl.Int32) * 100 + day.dt.day()


if __name__ == "__main__":
    with told():
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:6])
