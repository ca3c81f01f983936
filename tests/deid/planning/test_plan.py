"""A proposed plan: roles by name and by content, runnable at once, k held, nobody's value in it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from deid import cli, engine, recipe
from deid.planning.draft import Head, recipe_text
from deid.planning.measure import settle
from deid.planning.peek import peek
from deid.planning.role import Role, TablePlan
from deid.planning.tables import plan_tables
from deid.planning.vocabulary import meaning_of
from tests.deid.factory import NOW, Hospital, table

HEAD = Head("clinic", ("시험", "test"), "testhospital", "시험", 5, 0.05)
SURNAMES, GIVEN = "김이박최정강조윤장임", "민준서연지우하은도윤예준"


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("환자번호", "patient"), ("등록번호", "patient"), ("PT_ID", "patient"), ("person_id", "patient"),
        ("MRN", "patient"),
        ("hospital_no", "patient"), ("person_source_value", "patient"),
        ("성명", "name"), ("환자명", "name"), ("pt_nm", "name"), ("Patient.name.family", "name"),
        ("주민등록번호", "rrn"), ("rrn", "rrn"), ("휴대전화", "phone"), ("연락처", "phone"), ("hp_no", "phone"),
        ("telecom", "phone"), ("주소", "address"), ("addr1", "address"), ("우편번호", "postcode"),
        ("zip_code", "postcode"),
        ("생년월일", "birth"), ("birthDate", "birth"),
        ("year_of_birth", "birth_year"), ("month_of_birth", "birth_part"),
        ("나이", "age"), ("성별", "sex"), ("gender_concept_id", "sex"), ("키", "height"), ("체중", "weight"),
        ("시군구", "region"), ("country", "region"), ("주치의", "staff"), ("provider_id", "staff"),
        ("진단코드", "diagnosis"),
        ("condition_concept_id", "diagnosis"), ("kcd_cd", "diagnosis"), ("검사일", "date"),
        ("measurement_date", "date"),
        ("메모", "note"), ("note_text", "note"), ("판독소견", "note"), ("접수번호", "record"),
        ("visit_occurrence_id", "record"), ("accession_no", "record"), ("사망일", "death"), ("직업", "job"),
        ("hdl", None), ("value", None), ("혈압", None), ("message", None), ("percentage", None),
    ],
)  # fmt: skip
def test_a_columns_name_is_understood_in_korean_english_omop_and_fhir(name: str, meaning: str | None) -> None:
    found = meaning_of(name)
    assert (found.key if found else None) == meaning


def people(count: int, seed: int = 1) -> list[dict[str, str]]:
    random = Random(seed)
    rows = []
    for number in range(count):
        name = random.choice(SURNAMES) + "".join(random.sample(GIVEN, 2))
        birth = f"19{random.randrange(30, 99)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}"
        phone = f"010-{random.randrange(2000, 9999)}-{random.randrange(10000):04}"
        rows.append({
            "환자번호": f"{31000000 + number * 17}", "성명": name, "생년월일": birth, "성별": random.choice("남여"),
            "x1": phone, "시군구": random.choice(["광주 동구", "광주 서구", "나주시"]),
            "진단코드": random.choice(["I10", "E11.9", "K76.0"]),
            "검사일": f"2024-0{random.randrange(1, 9)}-11", "수치": f"{random.uniform(1, 9):.1f}",
            "판정": random.choice(["NA", "정상", "이상"]),
            "메모": f"{name} 님 보호자 연락처 {phone}, 3개월 뒤 다시 오시기로 함",
        })  # fmt: skip
    return rows


def csv_of(rows: list[dict[str, str]]) -> str:
    lines = [",".join(rows[0])]
    return "\n".join(lines + [",".join(f'"{cell}"' for cell in row.values()) for row in rows]) + "\n"


def planned(source: Path, *, rows: int = 100_000) -> tuple[list[TablePlan], str]:
    tables, found = settle(HEAD, plan_tables(peek(source, rows=rows)), source.parent)
    return tables, recipe_text(HEAD, tables, found.links)


@pytest.fixture(params=["utf-8", "utf-8-sig", "cp949"])
def source(clinic: Hospital, request: pytest.FixtureRequest) -> Path:
    return clinic.write("검진.csv", csv_of(people(400)).encode(request.param))


def test_a_plan_runs_at_once_and_publishes_no_direct_identifier_column(clinic: Hospital, source: Path) -> None:
    tables, text = planned(source)
    roles = {each.source: each.role for each in tables[0].columns}
    assert roles == {
        "환자번호": Role.KEY, "성명": Role.DIRECT, "생년월일": Role.QUASI, "성별": Role.QUASI, "x1": Role.DIRECT,
        "시군구": Role.QUASI, "진단코드": Role.SENSITIVE, "검사일": Role.DATE, "수치": Role.OTHER, "판정": Role.OTHER,
        "메모": Role.TEXT,
    }  # fmt: skip
    result = engine.run(clinic.recipe(text), source.parent, clinic.out, clinic.keys, now=NOW, private=clinic.root / "p")
    published = table(result, tables[0].name)
    assert {"patient", "age_band", "sex", "region", "note"} <= set(published.columns)
    assert result.manifest.risk[tables[0].name]["k_published"] >= 5
    rows = people(400)
    assert not any(row["x1"] in str(note) for row, note in zip(rows, published["note"], strict=False))


def test_codes_and_places_are_proposed_by_their_hierarchies_with_reasons_and_run(clinic: Hospital) -> None:
    random = Random(5)
    rows = [
        row
        | {
            "우편번호": random.choice(["61452", "61475", "58217"]),
            "약": random.choice(["A10BA02", "C10AA05", "N02BE01"]),
        }
        for row in people(400)
    ]
    tables, text = planned(clinic.write("a.csv", csv_of(rows)))
    made = {each.source: each for each in tables[0].columns}
    named = {name: each.options[0].fields.get("hierarchy") for name, each in made.items()}
    assert (named["진단코드"], named["시군구"], named["우편번호"], named["약"]) == (
        "kcd8",
        "sigungu",
        "postcode",
        "atc",
    )
    assert all("rare" in made[name].options[0].fields for name in ("진단코드", "약"))
    assert all(reason for each in tables[0].columns for reason in each.reason)
    engine.run(clinic.recipe(text), clinic.source, clinic.out, clinic.keys, now=NOW, private=clinic.root / "p")


def test_no_value_of_a_patient_stands_in_the_plan(clinic: Hospital) -> None:
    rows = people(300)
    _, text = planned(clinic.write("a.csv", csv_of(rows)))
    assert not [row for row in rows if any(row[name] in text for name in ("환자번호", "성명", "x1", "생년월일"))]
    assert recipe.load(_written(clinic, text)).tables[0].column("x1").reason.ko.startswith("직접식별자. 표본 값의")


def _written(clinic: Hospital, text: str) -> Path:
    path = clinic.root / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_it_coarsens_until_few_enough_rows_are_lost_and_shows_how_many_were_alone_before(clinic: Hospital) -> None:
    rows = [
        {"pt_no": f"{number}", "birth_date": f"19{number % 60 + 30}-03-0{number % 9 + 1}"}
        | {"height": f"{140 + number % 59}", "weight": f"{40 + number * 7 % 97}", "job": f"job{number % 19}"}
        for number in range(600)
    ]  # fmt: skip
    path = clinic.write("a.csv", csv_of(rows))
    tables, found = settle(HEAD, plan_tables(peek(path)), path.parent)
    measured = found.tables[0]
    assert measured.before is not None
    assert measured.before.unique_share > 0.9
    assert measured.after is not None
    assert (measured.after.smallest >= 5, measured.lost <= 0.05) == (True, True)
    assert any("Coarsened" in each.reason[1] for each in tables[0].columns)
    engine.run(
        clinic.recipe(recipe_text(HEAD, tables, found.links)),
        path.parent,
        clinic.out,
        clinic.keys,
        now=NOW,
        private=clinic.root / "p",
    )


def test_a_value_of_another_form_beyond_the_rows_that_were_seen_does_not_stop_the_run(clinic: Hospital) -> None:
    rows = people(400)
    rows[-1] |= {"수치": "측정 불가", "검사일": "모름"}
    source = clinic.write("a.csv", csv_of(rows))
    tables, text = planned(source, rows=100)
    assert tables[0].column("수치").fields == {"treatment": "keep"}
    assert tables[0].column("검사일").fields == {"treatment": "drop"}
    engine.run(clinic.recipe(text), source.parent, clinic.out, clinic.keys, now=NOW, private=clinic.root / "p")


def test_tables_of_a_folder_are_linked_by_their_patients_and_orphans_are_seen(clinic: Hospital) -> None:
    patients = people(200)
    clinic.write(
        "labs.csv", csv_of([{"환자번호": row["환자번호"], "검사": "hdl", "결과": "41"} for row in patients] * 2)
    )
    visits = [{"환자번호": row["환자번호"], "과": "내과"} for row in patients] + [{"환자번호": "99", "과": "외과"}]
    clinic.write("visits.csv", csv_of(visits * 2))
    clinic.write("patients.csv", csv_of(patients))
    out = clinic.root / "plan.yaml"
    done = CliRunner().invoke(cli.deid, ["plan", str(clinic.source), "--yes", "--out", str(out)])
    assert done.exit_code == 0, done.output
    plan = recipe.load(out)
    assert [(link.origin, link.target, link.orphans) for link in plan.links] == [
        ("labs", "patients", "fail"),
        ("visits", "patients", "drop"),
    ]
    assert "처리 전" in done.stderr
    engine.run(plan, clinic.source, clinic.out, clinic.keys, now=NOW, private=clinic.root / "p")


def test_a_plan_that_is_there_is_not_overwritten(clinic: Hospital) -> None:
    clinic.write("a.csv", csv_of(people(50)))
    out = clinic.root / "plan.yaml"
    out.write_text("mine")
    arguments = ["plan", str(clinic.source / "a.csv"), "--yes", "--out", str(out)]
    refused = CliRunner().invoke(cli.deid, arguments)
    assert (refused.exit_code, "deid.plan-exists" in refused.stderr, out.read_text()) == (8, True, "mine")
    assert CliRunner().invoke(cli.deid, [*arguments, "--force"]).exit_code == 0
    assert recipe.load(out).dataset == "a"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xfe\x00a", "deid.source-encoding"),
        (b"", "deid.source-header"),
        (b"a,a\n1,2\n", "deid.source-header"),
        (b"a,b\n", "deid.source-empty"),
        (b"a,b\n1,2\n3\n", "deid.source-broken-fields"),
    ],
)
def test_a_file_that_cannot_be_planned_says_why(clinic: Hospital, data: bytes, code: str) -> None:
    path = clinic.write("a.csv", data)
    done = CliRunner().invoke(cli.deid, ["plan", str(path), "--yes", "--out", str(clinic.root / "p.yaml")])
    assert (done.exit_code, code in done.stderr) == (4, True)
