"""Notes of linked patients, on real runs: their own values, staff lists, the provider's profile, stand-ins, shifts."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from deid.errors import RecipeError, SourceError
from deid.texts import read_cases
from tests.deid.factory import HEAD, NOW, Hospital, gates, table

SCAN = ", no_direct_identifier_left: {sample: 50, min_score: 0.6}"
RECIPE = """\
links: [{from: notes, to: patients, orphans: fail}]
profile: testhospital.yaml
known:
  - {file: staff.csv, encoding: cp949, columns: {성명: name, 면허번호: licence}}
  - {file: guardians.csv, subject: no, columns: {who: relative, tel: phone}}
tables:
  patients:
    file: patients.csv
    label: {ko: 환자, en: Patients}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      name: {treatment: drop, direct: name, label: 이름}
      rrn: {treatment: drop, direct: true, label: 주민등록번호}
      address: {treatment: drop, direct: true, label: 주소}
      born: {treatment: drop, direct: birth_date, label: 생년월일}
  notes:
    file: notes.csv
    label: {ko: 기록, en: Notes}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      day: {treatment: date_shift, max_days: 90}
      note: {treatment: free_text%s}
"""
PROFILE = """\
profile: 1
record_numbers: ["TH-######"]
organisations: [늘푸른터]
departments: [김갑순기념내과]
wards: [달빛병동]
"""
PATIENTS = """\
no,name,rrn,address,born
71234,강한결,900101-1234568,"경기도 수원시 영통구 매영로 305, 105동 302호",1990-01-01
75678,오솔,850505-2345678,서울 강남구 테헤란로 1,1985-05-05
"""
NOTES = [
    ("71234", "2024-03-05", "식사 조절 한결 다음 방문. 매영로305 로 우편, 매영로 305 105-302, 뒤 1234568"),
    ("71234", "2024-03-09", "강 한 결 환자 2024-03-05(화) 검사, 3/9 재검. 71 234 번"),
    ("75678", "2024-05-01", "한결 나아짐. 달밤 선생이 봄, 허니문 동행, 뒷자리 4321, TH 123456"),
    ("75678", "2024-05-02", "늘푸른터에서 전원, 김갑순기념내과 달빛병동. 솔직한 분"),
]


def prepare(clinic: Hospital) -> None:
    (clinic.root / "testhospital.yaml").write_text(PROFILE, encoding="utf-8")
    clinic.write("patients.csv", PATIENTS)
    clinic.write("notes.csv", "no,day,note\n" + "".join(f'{no},{day},"{note}"\n' for no, day, note in NOTES))
    clinic.write("staff.csv", "성명,면허번호\n달밤,98765\n".encode("cp949"))
    clinic.write("guardians.csv", "no,who,tel\n75678,허니문,010-8765-4321\n")


def run(clinic: Hospital, options: str = "", more: str = SCAN) -> list[str]:
    prepare(clinic)
    result = clinic.run(HEAD + gates(k=1, more=more) + RECIPE % options)
    return table(result, "notes").sort("day")["note"].to_list() if "shift" in options else _ordered(result)


def _ordered(result: object) -> list[str]:
    return sorted(table(result, "notes")["note"].to_list())  # type: ignore[arg-type]


def test_a_note_is_searched_for_its_own_patients_values_and_for_staff_and_profile(clinic: Hospital) -> None:
    assert run(clinic) == sorted(
        [
            "식사 조절 <이름> 다음 방문. <주소> 로 우편, <주소> <주소>, 뒤 <주민등록번호>",
            "<이름> 환자 <날짜>(화) 검사, <날짜> 재검. <등록번호> 번",
            "한결 나아짐. <이름> 선생이 봄, <이름> 동행, 뒷자리 <전화번호>, <등록번호>",
            "<기관>에서 전원, <부서> <병동>. 솔직한 분",
        ]
    )


def test_without_the_pass_these_values_would_have_stayed(clinic: Hospital) -> None:
    whole = " ".join(run(clinic, ", known: false", more=""))
    assert all(value in whole for value in ("한결 다음", "달밤", "허니문", "4321", "달빛병동"))


def test_dates_move_by_the_days_of_the_tables_and_keep_their_form(clinic: Hospital) -> None:
    prepare(clinic)
    result = clinic.run(HEAD + gates(k=1, more=SCAN) + RECIPE % ", dates: shift")
    rows = table(result, "notes").filter(table(result, "notes")["note"].str.contains("재검")).row(0, named=True)
    shifted = rows["day"] - date(2024, 3, 9)
    written = re.search(r"(\d{4}-\d\d-\d\d)\((.)\) 검사, (\d+)/(\d+) 재검", rows["note"])
    assert written
    moved = date(2024, 3, 5) + shifted
    assert written[1] == moved.isoformat()
    assert written[2] == "월화수목금토일"[moved.weekday()]
    assert (int(written[3]), int(written[4])) == (rows["day"].month, rows["day"].day)


def test_stand_ins_pass_the_gate_name_one_person_alike_and_nobody_else(clinic: Hospital) -> None:
    notes = run(clinic, ", names: surrogate, numbers: surrogate")
    own = next(re.match(r"([가-힣]{3}) 환자", note) for note in notes if "재검" in note)
    assert own
    assert any(f"식사 조절 {own[1][1:]} 다음 방문" in note for note in notes)
    assert any(re.search(r"뒤 0\d{6}$", note) for note in notes)
    whole = " ".join(notes)
    assert not any(value in whole for value in ("강한결", "달밤", "허니문", "1234568", "4321", "71 234", "매영로"))


def test_a_name_left_beside_stand_ins_still_fails_the_gate(clinic: Hospital) -> None:
    from deid.detect.found import Found
    from deid.free_text import more_than

    text = "정은순 환자, 보호자 박영희"
    assert not more_than(text, Found(0, 3, "NAME", 0.9), [(0, 3)])
    assert more_than(text, Found(12, 15, "NAME", 0.9), [(0, 3)])


def test_counts_and_cases_say_what_only_the_pass_saw_and_lineage_what_was_read(clinic: Hospital) -> None:
    from deid import engine

    prepare(clinic)
    recipe, private = clinic.recipe(HEAD + gates(k=1) + RECIPE % ""), clinic.root / "private"
    result = engine.run(recipe, clinic.source, clinic.out, clinic.keys, now=NOW, private=private)
    (report,) = json.loads((result.snapshot / "risk.json").read_text())["notes"]["texts"]
    assert report["texts"] == 4
    assert report["known"]["NAME"] >= 3
    assert report["known"]["WARD"] == 1
    voices = {case.text[s.start : s.end]: s.by for case in read_cases(private) for s in case.spans if not s.doubt}
    assert (voices["허니문"], voices["달빛병동"], voices["2024-03-05"]) == ("known", "profile", "rules")
    lineage = result.manifest.lineage
    assert [entry["file"] for entry in lineage["known"]] == ["staff.csv", "guardians.csv"]
    assert lineage["profile"]["file"] == "testhospital.yaml"
    page = (result.snapshot / "report.html").read_text(encoding="utf-8")
    assert re.search(r'병동</span>.*ward</span></th><td class="n">1</td><td class="n">1</td><td class="n">1</td>', page)
    assert "staff.csv" in page


def test_a_waived_profile_stands_with_its_reason_in_lineage_and_report(clinic: Hospital) -> None:
    prepare(clinic)
    waived = RECIPE.replace(
        "profile: testhospital.yaml", "profile: {waived: {ko: 번호 형식 미확인, en: forms unknown}}"
    )
    result = clinic.run(HEAD + gates(k=1) + waived % "")
    assert result.manifest.lineage["profile_waived"] == {"ko": "번호 형식 미확인", "en": "forms unknown"}
    page = (result.snapshot / "report.html").read_text(encoding="utf-8")
    assert "기관 프로필 없음" in page
    assert "forms unknown" in page


def test_nothing_of_staff_lists_and_relatives_is_published(clinic: Hospital) -> None:
    prepare(clinic)
    result = clinic.run(HEAD + gates(k=1, more=SCAN) + RECIPE % ", names: surrogate, dates: shift")
    whole = b"".join(path.read_bytes() for path in result.snapshot.rglob("*") if path.is_file())
    for value in ("달밤", "98765", "허니문", "87654321", "8765-4321", "강한결", "1234568"):
        assert value.encode() not in whole


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("profile: testhospital.yaml", "profile: missing.yaml", "deid.recipe-profile"),
        ("profile: testhospital.yaml\n", "", "deid.recipe-no-profile"),
        ("profile: testhospital.yaml", "profile: {waived: ''}", "deid.recipe-kind"),
        ("성명: name", "성명: nome", "deid.recipe-word"),
        ("direct: name", "direct: somebody", "deid.recipe-word"),
        ("max_days: 90}", "max_days: 90}\n      old: {treatment: free_text, names: fake}", "deid.recipe-word"),
        ("treatment: date_shift, max_days: 90", "treatment: drop", "deid.recipe-shift"),
    ],
)
def test_a_wrong_part_of_the_recipe_is_named_with_its_place(clinic: Hospital, old: str, new: str, code: str) -> None:
    prepare(clinic)
    with pytest.raises(RecipeError) as caught:
        clinic.recipe((HEAD + gates(k=1) + RECIPE % ", dates: shift").replace(old, new))
    assert caught.value.code == code
    assert caught.value.line > 1


@pytest.mark.parametrize(
    ("file", "data", "code"),
    [
        ("staff.csv", "성명,면허번호\n".encode(), "encoding"),
        ("staff.csv", "이름,면허번호\n달밤,1\n".encode("cp949"), "unknown-column"),
        ("guardians.csv", None, "missing"),
    ],
)
def test_a_known_file_that_does_not_fit_stops_the_run(
    clinic: Hospital, file: str, data: bytes | None, code: str
) -> None:
    prepare(clinic)
    if data is None:
        (clinic.source / file).unlink()
    else:
        clinic.write(file, data)
    with pytest.raises(SourceError) as caught:
        clinic.run(HEAD + gates(k=1) + RECIPE % "")
    assert caught.value.code == f"deid.source-{code}"
    assert clinic.left_behind() == []


def test_memos_that_everybody_shares_are_replaced_once_and_for_whom_they_name_apart(clinic: Hospital) -> None:
    prepare(clinic)
    rows = [(f"8{number:04d}", "2024-01-01", "한결 나아짐") for number in range(8)]
    clinic.write("patients.csv", PATIENTS + "".join(f"{no},고운{no[-1]},,,\n" for no, _, _ in rows))
    shared = [*rows, ("71234", "2024-01-01", "한결 나아짐")]
    clinic.write("notes.csv", "no,day,note\n" + "".join(f"{no},{day},{note}\n" for no, day, note in shared))
    result = clinic.run(HEAD + gates(k=1) + RECIPE % "")
    assert sorted(table(result, "notes")["note"]) == ["<이름> 나아짐", *["한결 나아짐"] * 8]
