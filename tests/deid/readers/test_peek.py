"""A look at files before there is a recipe: names, types, encodings as they seem."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from deid.errors import SourceError
from deid.readers.guess import guess
from deid.readers.peek import peek
from deid.schemas.kinds import Kind

HEADER = "환자번호,생년월일,방문,금액,kg\n"
LINES = "00123,19500102,2020-01-02 10:00:00,1500,61.5\n00124,19600304,2020-03-04 11:30:00,,70\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_a_csv_is_looked_at_in_its_own_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "방문 2020.csv").write_bytes((HEADER + LINES).encode(encoding))
    (looked,) = peek(tmp_path / "방문 2020.csv")
    assert looked.origin.encoding == encoding
    assert [(c.name, c.type, c.format) for c in looked.columns] == [
        ("환자번호", "text", ""),
        ("생년월일", "date", "%Y%m%d"),
        ("방문", "date", "%Y-%m-%d %H:%M:%S"),
        ("금액", "integer", ""),
        ("kg", "number", ""),
    ]
    assert looked.head["금액"].to_list() == ["1500", None]
    assert looked.name == "table_2020"


def test_separators_are_told_and_written_as_a_recipe_would(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('no;note\n1;"x,y"\n2;z\n')
    (looked,) = peek(tmp_path / "a.csv")
    assert looked.origin.fields() == {"file": "a.csv", "separator": "semicolon"}
    assert looked.head.rows() == [("1", "x,y"), ("2", "z")]


def test_parquet_shows_its_first_rows_as_text_and_says_what_is_nested(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, 2, 3], "b": [[1], [2], []], "c": pl.Series(["x", "y", "x"], dtype=pl.Categorical)})
    frame.write_parquet(tmp_path / "t.parquet")
    (looked,) = peek(tmp_path / "t.parquet", rows=2)
    assert [(c.name, c.type) for c in looked.columns] == [("a", "integer"), ("b", "nested"), ("c", "text")]
    assert looked.head.rows() == [("1", None, "x"), ("2", None, "y")]


def test_resources_show_their_elements_and_what_is_known_of_them(tmp_path: Path) -> None:
    resources = [
        {"resourceType": "Patient", "id": "p1", "name": [{"text": "김철수"}], "gender": "male",
         "birthDate": "1990-01-01", "communication": [{"language": {"text": "ko"}}, {"language": {"text": "en"}}]},
        {"resourceType": "Patient", "id": "p2", "name": [{"text": "이영희"}], "gender": "female"},
    ]  # fmt: skip
    (tmp_path / "Patient.ndjson").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in resources))
    (looked,) = peek(tmp_path)
    assert looked.origin.fields() == {
        "file": "Patient.ndjson",
        "resource": "Patient",
        "timezone": "Asia/Seoul",
        "others": "drop",
    }
    assert {c.name: c.known for c in looked.columns} == {
        "id": Kind.PERSON, "name": Kind.DIRECT, "gender": None, "birthDate": Kind.BIRTH,
        "communication.language.text.first()": Kind.TEXT,
    }  # fmt: skip
    assert looked.head["gender"].to_list() == ["male", "female"]
    assert "김철수" not in str(looked.head.rows())


def test_a_table_of_the_omop_model_is_known_by_its_name_and_key(tmp_path: Path) -> None:
    (tmp_path / "PERSON.csv").write_text("person_id,year_of_birth,gender_concept_id\n1,1950,8507\n")
    (tmp_path / "note.csv").write_text("memo,text\n1,x\n")
    note, person = sorted(peek(tmp_path), key=lambda table: table.name)
    assert (note.origin.omop, person.origin.omop) == ("", "person")
    assert [c.known for c in person.columns] == [Kind.PERSON, Kind.BIRTH, None]
    assert person.columns[1].proposal == {"treatment": "generalise", "type": "integer", "band": {"width": 10}}


def test_a_folder_is_looked_at_file_by_file(tmp_path: Path) -> None:
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "b.parquet")
    (tmp_path / "a.csv").write_text("y\n1\n")
    (tmp_path / "readme.md").write_text("no table")
    assert [(t.name, t.origin.format) for t in peek(tmp_path)] == [("a", "csv"), ("b", "parquet")]


def test_what_is_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n\xff\xff,1\n")
    with pytest.raises(SourceError) as caught:
        peek(tmp_path / "a.csv")
    assert caught.value.code == "deid.source-encoding"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "20", None], ("integer", "")),
        (["0", "7"], ("integer", "")),
        (["007", "012"], ("text", "")),
        (["1.5", "2"], ("number", "")),
        (["20200101", "20191231"], ("date", "%Y%m%d")),
        (["10000101"], ("integer", "")),
        (["2020. 1. 2."], ("date", "%Y. %m. %d.")),
        (["x"], ("text", "")),
        ([None], ("text", "")),
    ],
)
def test_types_are_guessed_from_all_values(values: list[str | None], expected: tuple[str, str]) -> None:
    assert guess(pl.Series(values, dtype=pl.String)) == expected
