"""Files damaged in any way: read as something whole, or refused as a source; never another error, never a leftover."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from deid.errors import DeidError
from deid.readers.connection import Databases
from deid.readers.open import open_source
from deid.readers.peek import peek
from deid.readers.source import Reading
from deid.recipe import load
from tests.deid.factory import HEAD, gates

CANARY = "김철수900101"
FRAME = pl.DataFrame({"no": [f"n{n}" for n in range(50)], "note": [CANARY, "한글", None, "x", "1"] * 10})
COLUMNS = "no: {treatment: pseudonym, domain: patient}\n      note: {treatment: keep}"
FHIR_COLUMNS = "id: {treatment: pseudonym, domain: patient}\n      gender: {treatment: keep}"


def as_csv(path: Path) -> None:
    FRAME.write_csv(path)


def as_cp949(path: Path) -> None:
    path.write_bytes(FRAME.write_csv().encode("cp949"))


def as_parquet(path: Path) -> None:
    FRAME.write_parquet(path, row_group_size=9)


def as_workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (FRAME.columns, *FRAME.rows()):
        book.active.append(row)
    book.save(path)


def as_fhir(path: Path) -> None:
    lines = [{"resourceType": "Patient", "id": no, "gender": note} for no, note in FRAME.rows()]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


FORMATS: dict[str, tuple[str, Callable[[Path], None], str, str]] = {
    "csv": ("t.csv", as_csv, "", "no"),
    "cp949": ("t.csv", as_cp949, "    encoding: cp949\n", "no"),
    "parquet": ("t.parquet", as_parquet, "", "no"),
    "xlsx": ("t.xlsx", as_workbook, "", "no"),
    "fhir": ("Patient.ndjson", as_fhir, "", "id"),
}
EDITS = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "insert", "copy"]), st.floats(0, 1), st.binary(min_size=1, max_size=4)),
    min_size=1, max_size=3,
)  # fmt: skip


def damaged(data: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    for how, where, new in edits:
        at = int(where * len(data))
        if how == "flip":
            data = data[:at] + new + data[at + len(new) :]
        elif how == "cut":
            data = data[:at] + data[at + 40 * len(new) :]
        elif how == "insert":
            data = data[:at] + new + data[at:]
        else:
            data = data[:at] + data[at // 2 :]
    return data


def refusal(action: Callable[[], None]) -> str:
    try:
        action()
    except DeidError as error:
        return error.ko + error.en + error.remedy_ko
    return ""


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_read_whole_or_refused_without_a_value(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file, write, more, subject = FORMATS[name]
    folder = tmp_path_factory.mktemp(name)
    columns = FHIR_COLUMNS if name == "fhir" else COLUMNS
    plan = folder / "recipe.yaml"
    plan.write_text(
        f"{HEAD}{gates(k=1)}tables:\n  t:\n    file: {file}\n{more}    subject: {subject}\n    label: x\n"
        f"    columns:\n      {columns}\n"
    )
    recipe = load(plan)
    write(folder / file)
    whole = (folder / file).read_bytes()

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(EDITS)
    @example([("flip", 0.015625, b"\0\0")])  # the first line break goes: a patient stands among the columns' names
    def attack(edits: list[tuple[str, float, bytes]]) -> None:
        (folder / file).write_bytes(damaged(whole, edits))
        for action in (opened, peeked):
            said = refusal(action)
            assert CANARY not in said

    def opened() -> None:
        with Databases() as databases:
            how = Reading(folder, True, lambda _: None, databases)
            with open_source(recipe.tables[0], folder, recipe.limits, how) as source:
                frame = source.scan().collect()
                assert frame.height == source.rows
                assert set(frame.schema.values()) == {pl.String}
                source.line_of(source.rows - 1)

    def peeked() -> None:
        peek(folder / file, rows=20)

    attack()
