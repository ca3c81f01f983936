"""One logical table, delivered in every format, gives the byte-identical published Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from tests.deid.factory import HEAD, Hospital, gates, table

NAMES = ("chart", "sex", "born", "seen", "weight", "visits", "ward", "memo", "insured")
TABLE = """\
tables:
  visits:
    {origin}
    label: 방문
    subject: chart
    nulls: [모름]
    quasi_identifiers: [sex, age]
    columns:
      chart: {{treatment: pseudonym, domain: patient, as: patient}}
      sex: {{treatment: keep}}
      born: {{treatment: generalise, age_at: seen, band: {{width: 10}}, as: age}}
      seen: {{treatment: date_shift, max_days: 30}}
      weight: {{treatment: keep, type: number}}
      visits: {{treatment: keep, type: integer}}
      ward: {{treatment: keep}}
      memo: {{treatment: keep}}
      insured: {{treatment: keep}}
"""
NOTES = ["한글 뷁", 'quote " inside', "line\nbreak", "comma, semi; tab\t", " blanks ", "모름", None, "", "=1+1", "007"]


@dataclass(frozen=True)
class Visit:
    chart: str
    sex: str | None
    born: date
    seen: date
    weight: float | None
    visits: int | None
    ward: str | None
    memo: str | None
    insured: bool | None


VISITS = [
    Visit(
        chart=f"{n % 30:05d}",
        sex="남" if n % 2 else "여",
        born=date(1950 + n % 40, 1 + n % 12, 1 + n % 28),
        seen=date(2020, 1 + n % 12, 1 + n % 28),
        weight=None if n % 11 == 0 else (40.0 + n if n % 3 else round(0.1 * n + 1e-7, 7)),
        visits=None if n % 7 == 0 else n * 10**9,
        ward=["내과", "외과", None][n % 3],
        memo=NOTES[n % len(NOTES)],
        insured=[True, False, None][n % 3],
    )
    for n in range(120)
]
ROWS = [tuple(getattr(visit, name) for name in NAMES) for visit in VISITS]
POLARS_TYPES = {
    "chart": pl.String, "sex": pl.String, "born": pl.Date, "seen": pl.Date, "weight": pl.Float64,
    "visits": pl.Int64, "ward": pl.String, "memo": pl.String, "insured": pl.Boolean,
}  # fmt: skip


def frame() -> pl.DataFrame:
    return pl.DataFrame(ROWS, schema=POLARS_TYPES, orient="row")


def as_csv(encoding: str, separator: str, end: str) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator=end, delimiter=separator)
        writer.writerow(NAMES)
        spelled = {True: "true", False: "false"}
        writer.writerows([[spelled.get(v, v) if isinstance(v, bool) else v for v in row] for row in ROWS])
        (folder / "visits.csv").write_bytes(text.getvalue().encode(encoding))
        words = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
        return f"file: visits.csv\n    encoding: {encoding}\n    separator: {words[separator]}"

    return write


def as_polars_parquet(folder: Path) -> str:
    frame().write_parquet(folder / "visits.parquet", row_group_size=17)
    return "file: visits.parquet"


def as_pandas_parquet(folder: Path) -> str:
    # What pandas makes of it: categories, time stamps at midnight, whole numbers with gaps as floats.
    table = pd.DataFrame(ROWS, columns=list(NAMES))
    for name in ("sex", "ward", "memo", "chart"):
        table[name] = table[name].astype("category")
    for name in ("born", "seen"):
        table[name] = pd.to_datetime(table[name])
    table["visits"] = table["visits"].astype("float64")
    table.to_parquet(folder / "visits.parquet", engine="pyarrow", index=False)
    return "file: visits.parquet"


def as_arrow_parquet(folder: Path) -> str:
    # As databases export: decimals with declared places, nanoseconds, dictionaries, large strings.
    columns = dict(zip(NAMES, map(list, zip(*ROWS, strict=True)), strict=True))
    noon = [datetime(d.year, d.month, d.day, 12, 30) for d in columns["seen"]]
    arrays = {
        "chart": pa.array(columns["chart"], pa.large_string()),
        "sex": pa.array(columns["sex"]).dictionary_encode(),
        "born": pa.array(columns["born"], pa.date64()),
        "seen": pa.array(noon, pa.timestamp("ns")),
        "weight": pa.array(columns["weight"]),
        "visits": pa.array([None if v is None else Decimal(v) for v in columns["visits"]], pa.decimal128(20, 2)),
        "ward": pa.array(columns["ward"]).dictionary_encode(),
        "memo": pa.array(columns["memo"], pa.string_view()),
        "insured": pa.array(columns["insured"]),
    }
    pq.write_table(pa.table(arrays), folder / "visits.bin", compression="gzip", row_group_size=50)
    return "file: visits.bin\n    format: parquet"


def as_workbook(folder: Path) -> str:
    book = openpyxl.Workbook()
    book.active.append(NAMES)
    for row in ROWS:
        book.active.append(row)
        for cell in book.active[book.active.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # a text that begins with = is no formula here
    book.save(folder / "visits.xlsx")
    return "file: visits.xlsx"


def as_fhir(folder: Path) -> str:
    def plain(value: object) -> object:
        return value.isoformat() if isinstance(value, date) else value

    lines = [
        {"resourceType": "Observation", **{name: plain(value) for name, value in zip(NAMES, row, strict=True)}}
        for row in ROWS
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / "Observation.ndjson").write_text(text)
    return "file: Observation.ndjson"


DELIVERIES = {
    "csv": as_csv("utf-8", ",", "\n"),
    "csv with mark, semicolons": as_csv("utf-8-sig", ";", "\r\n"),
    "csv in cp949, tabs": as_csv("cp949", "\t", "\r\n"),
    "parquet by polars": as_polars_parquet,
    "parquet by pandas": as_pandas_parquet,
    "parquet by arrow": as_arrow_parquet,
    "workbook": as_workbook,
    "fhir": as_fhir,
}


def published(clinic: Hospital, delivery: str) -> str:
    for path in clinic.source.iterdir():
        path.unlink()
    return published_from(clinic, DELIVERIES[delivery](clinic.source))


def published_from(clinic: Hospital, origin: str) -> bytes:
    result = clinic.run(HEAD + gates(k=1) + TABLE.format(origin=origin))
    assert result.manifest.tables["visits"].rows == len(VISITS)
    assert result.manifest.lineage["sources"][0]["rows"] == len(VISITS)
    # Rows in their order, with their types: the files themselves are each under a key of their own.
    found = table(result, "visits")
    return f"{found.schema}\n{found.write_csv()}"


@pytest.mark.parametrize("in_memory", [True, False], ids=["kept", "streamed"])
def test_every_format_gives_the_same_rows_in_the_same_order(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    results = {delivery: published(clinic, delivery) for delivery in DELIVERIES}
    different = [delivery for delivery, data in results.items() if data != results["csv"]]
    assert different == []


def test_a_database_gives_the_same_bytes(clinic: Hospital, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [sa.Text, sa.Text, sa.Date, sa.DateTime, sa.Double, sa.Numeric(20, 2), sa.Text, sa.Text, sa.Boolean]
    columns = [sa.Column(name, kind) for name, kind in zip(NAMES, kinds, strict=True)]
    visits = sa.Table("visits", sa.MetaData(), *columns)
    db = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    visits.create(db)
    with db.begin() as connection:
        connection.execute(visits.insert(), [dict(zip(NAMES, row, strict=True)) for row in ROWS])
    db.dispose()
    monkeypatch.setenv("TEST_HOSPITAL", postgres_url)
    origin = "format: sql\n    database: {env: TEST_HOSPITAL}\n    table: public.visits"
    assert published_from(clinic, origin) == published(clinic, "csv")
