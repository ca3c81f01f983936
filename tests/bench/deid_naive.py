"""The straightforward pandas script we are measured against: a function per row, as most people write it.

Same work, same keys, same result: pseudonyms of patient and resident number, a date shift per patient, age bands, zip
to three digits, k over distinct patients, Parquet. It checks no input, signs nothing and writes no report.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from tests.bench.spent import told

K, MAX_DAYS = 5, 365


def main(source: Path, target: Path, keys: list[bytes]) -> None:
    """Read `source`, write `target`; keys of patient, resident number and shift."""
    patient_key, rrn_key, shift_key = keys

    def tag(key: bytes, value: str) -> str:
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()

    def shift(value: str) -> int:
        step = int(tag(shift_key, value)[:12], 16) % (2 * MAX_DAYS)
        return step - MAX_DAYS if step < MAX_DAYS else step - MAX_DAYS + 1

    def band(birth: date, at: date) -> str:
        age = at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
        low = age // 5 * 5
        return "85+" if age >= 85 else f"{low}-{low + 4}"

    frame = read(source)
    frame["visit"], frame["birth"] = frame["visit_date"], frame["birth_date"]
    frame["age_band"] = [band(birth, at) for birth, at in zip(frame["birth"], frame["visit"], strict=True)]
    frame["days"] = frame["patient_id"].map(shift)
    frame["visit_date"] = [at + timedelta(days) for at, days in zip(frame["visit"], frame["days"], strict=True)]
    frame["patient_id"] = frame["patient_id"].map(lambda value: tag(patient_key, value)[:32])
    frame["rrn"] = frame["rrn"].map(lambda value: tag(rrn_key, value)[:32])
    frame["zip3"] = frame["zip"].map(lambda value: value[:3])
    frame["year"] = frame["visit_date"].map(lambda day: day.year)
    patients = frame.groupby(["age_band", "sex", "zip3", "year"])["patient_id"].transform("nunique")
    frame = frame[patients >= K].drop(columns=["name", "birth_date", "birth", "visit", "days", "zip", "year"])
    frame.to_parquet(target, compression="zstd", compression_level=3, index=False, row_group_size=131_072)


def read(source: Path) -> pd.DataFrame:
    """Read CSV, or Parquet with typed columns: dates become Python's dates either way."""
    if source.suffix == ".parquet":
        return pd.read_parquet(source)
    frame = pd.read_csv(source, dtype={"patient_id": str, "rrn": str, "zip": str, "drug": str})
    for column in ("birth_date", "visit_date"):
        frame[column] = frame[column].map(date.fromisoformat)
    return frame


if __name__ == "__main__":
    with told():
        main(Path(sys.argv[1]), Path(sys.argv[2]), [key.encode() for key in sys.argv[3:6]])
