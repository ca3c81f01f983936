"""The two hospitals' source files: real rows, invented people, the same bytes every time."""

from __future__ import annotations

import csv
import hashlib
import re
from datetime import date
from pathlib import Path
from random import Random

import pytest

from deid.detect.masking import mask_texts
from deid.detect.rrn import check_digit, real_birth_date
from deid.detect.scan import scan
from demo import data
from demo.identities import full_name, identity, resident_number
from demo.memos import ILLNESS, NEXT, PERSON, SLOT_TYPES, Writer, memo

CLAIMS = (
    "chart_no name rrn phone address year site plan coins income age sex education visits outpatient_dollars "
    "drug_dollars inpatient_dollars health_status memo"
)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo-data")
    assert data.build_parquet(folder) == {"nafld1": 17_549, "nafld2": 400_123, "nafld3": 34_340, "randhie": 20_190}
    return folder


@pytest.fixture(scope="session")
def source(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    assert data.write_sources(build, folder) == data.ROWS
    return folder


@pytest.fixture(scope="session")
def patients(source: Path) -> list[dict[str, str]]:
    return _rows(source / "bitgoeul/patients.csv", "utf-8")


@pytest.fixture(scope="session")
def claims(source: Path) -> list[dict[str, str]]:
    return _rows(source / "mudeung/claims.csv", "cp949")


def _rows(path: Path, encoding: str) -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(
    ("name", "encoding", "columns"),
    [
        (
            "bitgoeul/patients.csv",
            "utf-8",
            "hospital_no name rrn phone address birth_date sex height_cm weight_kg followup_days status memo",
        ),
        ("bitgoeul/labs.csv", "utf-8", "hospital_no test value test_date"),
        ("bitgoeul/events.csv", "utf-8", "hospital_no event event_date"),
        (
            "mudeung/claims.csv",
            "cp949",
            CLAIMS,
        ),
    ],
)
def test_each_file_has_its_columns_and_every_public_row(source: Path, name: str, encoding: str, columns: str) -> None:
    with (source / name).open(encoding=encoding, newline="") as lines:
        reader = csv.reader(lines)
        assert next(reader) == columns.split()
        assert sum(1 for _ in reader) == data.ROWS[name]


def test_the_claims_are_cp949_and_nothing_else(source: Path) -> None:
    content = (source / "mudeung/claims.csv").read_bytes()
    assert content.decode("cp949").encode("cp949") == content
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")


def test_labs_and_events_belong_to_patients_and_no_measurement_precedes_birth(
    source: Path, patients: list[dict[str, str]]
) -> None:
    born = {row["hospital_no"]: row["birth_date"] for row in patients}
    assert len(born) == len(patients)
    for name, day in (("labs", "test_date"), ("events", "event_date")):
        rows = _rows(source / f"bitgoeul/{name}.csv", "utf-8")
        assert all(born[row["hospital_no"]] < row[day] for row in rows)


def test_measurements_are_the_published_ones(source: Path) -> None:
    values = [float(row["value"]) for row in _rows(source / "bitgoeul/labs.csv", "utf-8") if row["test"] == "hdl"]
    assert len(values) == 161_259
    events = [row["event"] for row in _rows(source / "bitgoeul/events.csv", "utf-8")]
    assert (events.count("dyslipidemia"), events.count("MI")) == (10_462, 1_199)


def test_a_claimant_keeps_one_identity_over_the_years(claims: list[dict[str, str]]) -> None:
    people: dict[str, set[tuple[str, ...]]] = {}
    for row in claims:
        person = tuple(row[column] for column in ("name", "rrn", "phone", "address", "sex"))
        people.setdefault(row["chart_no"], set()).add(person)
    assert len(people) == 5_912
    assert all(len(identities) == 1 for identities in people.values())
    assert {row["year"] for row in claims} == {"2018", "2019", "2020", "2021", "2022"}


@pytest.mark.parametrize("hospital", ["patients", "claims"])
def test_resident_numbers_have_the_legal_structure(hospital: str, request: pytest.FixtureRequest) -> None:
    for row in request.getfixturevalue(hospital):
        assert re.fullmatch(r"\d{6}-[1-4]\d{6}", row["rrn"])
        digits = row["rrn"].replace("-", "")
        assert real_birth_date(digits)
        assert (digits[6] in "13") == (row["sex"] in {"M", "남"})
        if not (digits[6] in "34" and digits[:6] >= "201005"):
            assert int(digits[12]) == check_digit(digits[:12])
            assert digits[7:9] >= "97", "a place code that was never given to an office"


def test_birth_dates_agree_with_resident_numbers(patients: list[dict[str, str]]) -> None:
    for row in patients:
        assert date.fromisoformat(row["birth_date"]).strftime("%y%m%d") == row["rrn"][:6]


def test_telephones_lie_in_blocks_no_operator_has(patients: list[dict[str, str]]) -> None:
    assert all(re.fullmatch(r"010-[01]\d{3}-\d{4}", row["phone"]) for row in patients)


def test_three_rows_in_ten_carry_a_memo_from_hundreds_of_templates(
    patients: list[dict[str, str]], claims: list[dict[str, str]]
) -> None:
    for rows in (patients, claims):
        assert 0.28 < sum(bool(row["memo"]) for row in rows) / len(rows) < 0.32
    assert len({row["memo"] for row in patients}) > 4_000


def test_memo_templates_are_many_and_their_slots_say_what_is_in_them() -> None:
    writer = _writer()
    memos = [memo(Random(i), writer) for i in range(2_000)]
    assert len({one.template for one in memos}) >= 300
    for one in memos:
        assert "{" not in one.text
        assert one.text.encode("cp949").decode("cp949") == one.text
        assert all(kind in SLOT_TYPES.values() and one.text[start:end] for start, end, kind in one.spans)
    assert len({*PERSON, *ILLNESS, *NEXT}) == len([*PERSON, *ILLNESS, *NEXT])


def test_memos_leave_no_number_and_hardly_a_name_after_masking() -> None:
    memos = [memo(Random(f"leak/{i}"), _writer(i)) for i in range(1_200)]
    leaks: dict[str, int] = {}
    totals: dict[str, int] = {}
    for one in memos:
        covered = {i for found in scan(one.text) for i in range(found.start, found.end)}
        for start, end, kind in one.spans:
            totals[kind] = totals.get(kind, 0) + 1
            leaks[kind] = leaks.get(kind, 0) + any(
                one.text[i].isalnum() and i not in covered for i in range(start, end)
            )
    assert {kind: leaks[kind] for kind in ("RRN", "PHONE", "ADDRESS", "MRN")} == dict.fromkeys(
        ("RRN", "PHONE", "ADDRESS", "MRN"), 0
    )
    assert leaks["NAME"] <= 0.01 * totals["NAME"]


def test_masked_memos_of_a_hospital_hold_no_resident_number(claims: list[dict[str, str]]) -> None:
    rows = [row for row in claims if row["memo"]][:600]
    masked = mask_texts([row["memo"] for row in rows], keys=None)
    assert any(row["rrn"] in row["memo"] for row in rows)
    assert not any(row["rrn"] in text or row["phone"] in text for row, text in zip(rows, masked, strict=True))


def test_the_same_seed_gives_the_same_bytes_and_another_the_other(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.write_sources(build, tmp_path / "a", people=150)
    data.write_sources(build, tmp_path / "b", people=150)
    assert _hashes(tmp_path / "a") == _hashes(tmp_path / "b")
    monkeypatch.setattr(data, "SEED", "another")
    data.write_sources(build, tmp_path / "c", people=150)
    assert all(_hashes(tmp_path / "a")[name] != _hashes(tmp_path / "c")[name] for name in data.ROWS)


def test_a_second_run_writes_nothing_and_a_damaged_file_is_made_again(build: Path, tmp_path: Path) -> None:
    rows = data.write_sources(build, tmp_path, people=50)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.csv")}
    assert data.write_sources(build, tmp_path, people=50) == rows
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.csv")} == before
    good = _hashes(tmp_path)
    (tmp_path / "mudeung/claims.csv").write_bytes(b"damaged")
    data.write_sources(build, tmp_path, people=50)
    assert _hashes(tmp_path) == good


def test_a_note_beside_the_files_says_in_both_languages_what_is_invented(source: Path) -> None:
    for hospital in ("bitgoeul", "mudeung"):
        note = (source / hospital / "README.txt").read_text(encoding="utf-8")
        assert "시연용" in note
        assert "Generated: names, resident registration numbers" in note


def test_the_command_prints_the_counts(tmp_path: Path, build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert data.main(["--out", str(tmp_path), "--build", str(build)]) == 0
    assert "labs.csv: 400,123 rows" in capsys.readouterr().out


@pytest.mark.parametrize("year", [1921, 1960, 1985, 1999, 2021])
@pytest.mark.parametrize("sex", ["M", "F"])
def test_an_identity_fits_its_birth_date_and_sex(year: int, sex: str) -> None:
    born = date(year, 11, 30)
    assert 2 <= len(full_name(Random(1), birth_year=year, sex=sex)) <= 4
    number = resident_number(Random(1), birth_date=born, sex=sex)
    assert number.startswith(f"{born:%y%m%d}-")
    assert identity(Random(7), birth_date=born, sex=sex) == identity(Random(7), birth_date=born, sex=sex)


def _writer(seed: int = 0) -> Writer:
    person = identity(Random(f"writer/{seed}"), birth_date=date(1950 + seed % 50, 3, 9), sex="MF"[seed % 2])
    return Writer(person, f"{46000000 + seed * 37}", date(2023, 5, 17))


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.csv"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
