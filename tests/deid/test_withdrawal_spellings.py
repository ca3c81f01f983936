"""Attacks on withdrawal by spelling: whoever withdraws is out, however tables, list and earlier versions write them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from deid import cli
from deid.engine import RunResult
from deid.errors import SnapshotShredded
from deid.snapshot import read_manifest
from deid.versions.alike import ALIKE, EXACT
from deid.versions.spellings import cores, usual
from tests.deid.factory import HEAD, Hospital, table

CANARY = "Q87CANARY"
RECIPE = """\
gates: {{k: 1, max_suppressed_share: 1}}
withdrawals: {{file: withdrawn.csv, spellings: {spellings}}}
tables:
  visits:
    file: visits.csv
    label: {{ko: 방문, en: Visits}}
    subject: no
    columns:
      no: {{treatment: pseudonym, domain: patient, as: patient, direct: true}}
      mother: {{treatment: pseudonym, domain: patient}}
      claim: {{treatment: surrogate, kind: digits, domain: patient}}
      code: {{treatment: keep}}
"""
# how the table has it, how the list has it
SPELLED = [
    ("BG-0000107", "bg-107"),
    ("bg 0000107", "BG-0000107"),
    ("ＢＧ－００００１０７", "BG-0000107"),
    ("BG-0000107 ", "BG-0000107"),
    ("BG\u200b-0000107", "BG-0000107"),
    ("BG-0000107", "ＢＧ００００１０７"),
    ("0000107", "107"),
    ("107", "0000107"),
    ("107", "107.0"),
    ("가0107", "가0107"),
    ("1234567", "1234567"),
]


def recipe(spellings: str = ALIKE) -> str:
    return HEAD + RECIPE.format(spellings=spellings)


def rows(*lines: tuple[str, str, str]) -> str:
    people = [(f"p{n:05d}", "", "I10") for n in range(50)]
    text = "\n".join(f'"{no}","{mother}",1234567,{code}' for no, mother, code in [*people, *lines])
    return f"no,mother,claim,code\n{text}\n"


def command(clinic: Hospital) -> list[str]:
    clinic.out.mkdir(exist_ok=True)
    folder = clinic.root / "keys"
    given = ["--source", str(clinic.source), "--out", str(clinic.out), "--keys", str(folder)]
    given += ["--signing-key", str(folder / "sign.pem"), "--subjects", str(clinic.root / "ids.txt")]
    return ["withdraw", str(clinic.root / "recipe.yaml"), *given]


def withdraw(clinic: Hospital, *ids: str) -> Result:
    (clinic.root / "ids.txt").write_text("\n".join(ids) + "\n")
    return CliRunner().invoke(cli.deid, command(clinic))


def newest(clinic: Hospital, result: Result) -> pl.DataFrame:
    """The rows of the version that the command built."""
    assert result.exit_code == 0, result.output
    folder = Path(result.stdout.strip().splitlines()[-1])
    return table(RunResult(folder, read_manifest(folder, clinic.public_key)), "visits")


@pytest.mark.parametrize(("in_table", "in_list"), SPELLED)
def test_no_spelling_of_an_id_keeps_a_person_in_or_their_older_files_readable(
    clinic: Hospital, in_table: str, in_list: str
) -> None:
    clinic.write("withdrawn.csv", "subject,withdrawn_on\n")
    (clinic.root / "recipe.yaml").write_text(recipe(), encoding="utf-8")
    clinic.write("visits.csv", rows((in_table, "", CANARY), ("p90000", in_table, "I11")))
    first = clinic.run(recipe())
    assert CANARY in table(first, "visits")["code"].to_list()
    result = withdraw(clinic, in_list)
    left = newest(clinic, result)
    assert "1 left out" in result.output
    assert in_table.strip() not in result.output
    with pytest.raises(SnapshotShredded):
        table(first, "visits")
    assert CANARY not in left["code"].to_list()
    assert left["mother"].null_count() == left.height, "nor are they somebody's mother"


def test_a_version_whose_source_is_gone_is_found_by_the_usual_spellings(clinic: Hospital) -> None:
    clinic.write("withdrawn.csv", "subject,withdrawn_on\n")
    (clinic.root / "recipe.yaml").write_text(recipe(), encoding="utf-8")
    clinic.write("visits.csv", rows(("107", "", CANARY)))  # last year's workbook had lost the zeros
    first = clinic.run(recipe())
    clinic.write("visits.csv", rows(("0000107", "", CANARY)))
    newest(clinic, withdraw(clinic, "0000107"))
    with pytest.raises(SnapshotShredded):
        table(first, "visits")


def test_keys_are_destroyed_even_when_no_table_can_be_read_and_that_is_said(clinic: Hospital) -> None:
    clinic.write("withdrawn.csv", "subject,withdrawn_on\n")
    (clinic.root / "recipe.yaml").write_text(recipe(), encoding="utf-8")
    clinic.write("visits.csv", rows(("BG-0107", "", CANARY)))
    first = clinic.run(recipe())
    clinic.write("withdrawn.csv", "subject,withdrawn_on\nbg107,2026-11-01\n")
    (clinic.source / "visits.csv").unlink()
    words = command(clinic)
    result = CliRunner().invoke(cli.deid, ["shred", *words[1 : words.index("--subjects")]])
    assert (result.exit_code, "spellings: " in result.stderr) == (0, True), result.output
    with pytest.raises(SnapshotShredded):
        table(first, "visits")


def test_where_spellings_are_exact_another_number_is_another_person(clinic: Hospital) -> None:
    clinic.write("withdrawn.csv", "subject,withdrawn_on\n")
    clinic.write("visits.csv", rows(("107", "", "I20"), (" 0107 ", "", CANARY)))
    (clinic.root / "recipe.yaml").write_text(recipe(EXACT), encoding="utf-8")
    codes = newest(clinic, withdraw(clinic, "0107"))["code"].to_list()
    assert ("I20" in codes, CANARY in codes) == (True, False), "blanks around it are never another person"


def test_who_is_in_no_table_is_told_by_line_and_never_by_number(clinic: Hospital) -> None:
    clinic.write("withdrawn.csv", "subject,withdrawn_on\n")
    clinic.write("visits.csv", rows(("BG-107", "", CANARY)))
    (clinic.root / "recipe.yaml").write_text(recipe(), encoding="utf-8")
    result = withdraw(clinic, "bg107", "", "BG-9999999")
    assert result.exit_code == 0, result.output
    assert "3번째 줄" in result.stderr
    assert "spelled otherwise 1" in result.stdout
    assert "9999999" not in result.output


def test_ids_that_are_no_utf8_are_refused_in_words(clinic: Hospital) -> None:
    clinic.write("withdrawn.csv", "subject,withdrawn_on\n")
    clinic.write("visits.csv", rows())
    (clinic.root / "recipe.yaml").write_text(recipe(), encoding="utf-8")
    (clinic.root / "ids.txt").write_bytes("가107\n".encode("cp949"))
    result = CliRunner().invoke(cli.deid, command(clinic))
    assert (result.exit_code, "UTF-8" in result.output) == (4, True)


@given(st.text(alphabet="09aZ가- ０Ａ\u200b", min_size=1, max_size=8))
def test_a_spelling_is_alike_to_itself_and_its_core_is_its_own_core(one: str) -> None:
    (own,) = cores([one], ALIKE)
    assert cores([own], ALIKE).to_list() == [own]
    assert one in usual([one], ALIKE)


def test_ids_of_signs_alone_are_not_everybody() -> None:
    assert cores(["--", "..", "00", "0"], ALIKE).sort().to_list() == ["--", "..", "0"]
