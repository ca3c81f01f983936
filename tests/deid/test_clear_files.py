"""What stays readable of a snapshot whose keys were destroyed tells no value that one patient alone has.

Report, risk figures, manifest, signature and twin lie in clear; so nothing in them may come from one person, whichever
models, searches and statistics a recipe asks for. Messages about a file do not read its first patient out either.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from deid.errors import DeidError
from tests.deid.factory import HEAD, Hospital, gates

COLUMNS = """\
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      age: {treatment: keep, type: integer}
      sex: {treatment: keep}
      region: {treatment: keep}
      dx: {treatment: keep}
      amount: {treatment: keep, type: integer}
      day: {treatment: date_shift, max_days: 10}
      note: {treatment: free_text}
"""
QUASI = "    quasi_identifiers: [age, sex, region]\n"
ASKED = {
    "nothing": "",
    "models": QUASI + "    privacy: {l: {column: dx, kind: distinct, l: 1}, t: {column: amount, t: 1, ground: ordered},"
    " task: {column: dx}, risk: {prosecutor: 1}}\n",
    "mondrian": QUASI + "    privacy: {search: {method: mondrian}}\n",
}
CANARIES = (b"Q87CANARY", b"CANARYREGION", b"987654321", b"CANARYNOTE", b"ncanary")


def visits(header: str = "no,age,sex,region,dx,amount,day,note\n") -> str:
    lines = [
        f"n{n},{20 + n % 60},{'FM'[n % 2]},{('광주', '부산')[n % 2]},{('I10', 'E11', 'K35')[n % 3]},{100 + n},"
        f"2020-01-{1 + n % 28:02d},환자 {n % 40} 안정"
        for n in range(300)
    ]
    return header + "\n".join(["ncanary,113,X,CANARYREGION,Q87CANARY,987654321,1931-07-07,CANARYNOTE", *lines]) + "\n"


def recipe(asked: str) -> str:
    more = ", no_direct_identifier_left: {sample: 10, min_score: 0.6}"
    table = "tables:\n  visits:\n    file: visits.csv\n    label: 방문\n    subject: no\n"
    return HEAD + gates(k=2 if "mondrian" in asked else 1, more=more) + table + asked + COLUMNS


def unpacked(path: Path) -> bytes:
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    tables = [pl.read_parquet(io.BytesIO(data)) for name, data in files.items() if name.endswith(".parquet")]
    return b"".join([*files.values(), *(frame.write_csv().encode() for frame in tables)])


@pytest.mark.parametrize("asked", ASKED)
def test_what_one_patient_alone_has_is_in_no_clear_file(clinic: Hospital, asked: str) -> None:
    clinic.write("visits.csv", visits())
    result = clinic.run(recipe(ASKED[asked]))
    clear = [path for path in result.snapshot.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    assert {path.name for path in clear} >= {"report.html", "risk.json", "manifest.json", "twin.zip"}
    seen = b"\n".join(map(unpacked, clear))
    assert "광주".encode() in seen, "the scan reads what many have"
    assert [canary for canary in CANARIES if canary in seen] == []


def test_a_file_without_a_header_is_refused_without_reading_its_first_patient_out(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits(header=""))
    with pytest.raises(DeidError) as refused:
        clinic.run(recipe(""))
    error = refused.value
    assert error.code == "deid.source-no-header"
    said = f"{error} {error.ko} {error.en} {error.remedy_ko} {error.remedy_en}"
    assert [canary for canary in CANARIES if canary.decode() in said] == []
