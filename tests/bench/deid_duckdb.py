"""The pandas script (`deid_naive.py`) as one query of DuckDB, with HMAC in SQL (RFC 2104).

Same work, same keys, same result. It checks no input, encrypts and signs nothing, and writes no report.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from tests.bench.spent import told

QUERY = """
COPY (
  WITH source AS (
    SELECT * EXCLUDE (name),
           floor((strftime(visit_date::DATE, '%Y%m%d')::INT - strftime(birth_date::DATE, '%Y%m%d')::INT) / 10000)::INT
             AS age,
           floor(age / 5)::INT * 5 AS low
    FROM {read}),
  patients AS (
    SELECT patient_id, substr({patient}, 1, 32) AS pseudonym,
           CAST('0x' || substr({shift}, 1, 12) AS BIGINT) % 730 AS step
    FROM (SELECT DISTINCT patient_id FROM source)),
  numbers AS (SELECT rrn, substr({number}, 1, 32) AS pseudonym FROM (SELECT DISTINCT rrn FROM source)),
  treated AS (
    SELECT p.pseudonym AS patient_id, n.pseudonym AS rrn,
           CASE WHEN age >= 85 THEN '85+' ELSE low || '-' || (low + 4) END AS age_band,
           sex, substr(zip, 1, 3) AS zip3,
           visit_date::DATE + CAST(CASE WHEN step < 365 THEN step - 365 ELSE step - 364 END AS INTEGER) AS visit_date,
           kcd, drug, amount::BIGINT AS amount, hospital, memo
    FROM source JOIN patients p USING (patient_id) JOIN numbers n USING (rrn)),
  classes AS (
    SELECT age_band, sex, zip3, year(visit_date) AS year FROM treated
    GROUP BY ALL HAVING count(DISTINCT patient_id) >= 5)
  SELECT t.* FROM treated t SEMI JOIN classes c
    ON t.age_band = c.age_band AND t.sex = c.sex AND t.zip3 = c.zip3 AND year(t.visit_date) = c.year
) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 131072)
"""

READ = {".csv": "read_csv('{}', all_varchar = true)", ".parquet": "read_parquet('{}')"}


def main(source: Path, target: Path, keys: list[str]) -> None:
    """Read `source`, write `target`; keys of patient, resident number and shift."""
    patient, number, shift = keys
    with duckdb.connect() as database:
        database.execute("SET preserve_insertion_order = false")
        database.execute(
            QUERY.format(
                read=READ[source.suffix].format(source), target=target, shift=tag(shift, "patient_id"),
                patient=tag(patient, "patient_id"), number=tag(number, "rrn"),
            )
        )  # fmt: skip


def tag(key: str, column: str) -> str:
    """HMAC-SHA256 of a column in SQL; the key fills one block of SHA-256, 64 bytes."""
    inner, outer = (f"unhex('{bytes(letter ^ pad for letter in key.encode()).hex()}')" for pad in (0x36, 0x5C))
    return f"sha256({outer} || unhex(sha256({inner} || encode({column}))))"


if __name__ == "__main__":
    with told():
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:6])
