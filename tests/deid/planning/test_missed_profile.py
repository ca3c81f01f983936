"""Missed marks propose changes of the provider's profile: no digit of a number in them, nothing without a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deid import cli
from deid.detect.known.profile import Profile, RecordNumbers
from deid.detect.known.squeezed import squeeze
from deid.planning.missed_profile import Change, accept, changes, read_profile

MARKS = (
    ("MRN", "KX-4410927"), ("MRN", "KX-4410999"), ("MRN", "88123456"), ("DEPARTMENT", "김갑순기념내과"),
    ("WARD", "달빛"), ("ORG", "무등의원"), ("NAME", "홍길동"), ("PHONE", "010-2345-6789"), ("MRN", "12"),
    ("MRN", "가나-1234567"), ("MRN", "A#12345"),
)  # fmt: skip
OWN = Profile(record_numbers=("BG-#######",), organisations=("무등 의원",))


def said(found: tuple[Change, ...]) -> list[tuple[str, str, int, bool]]:
    return [(each.field, each.entry, each.marks, bool(each.doubt[0])) for each in found]


def test_numbers_become_patterns_and_names_entries_with_how_often_and_what_to_mind() -> None:
    assert said(changes(MARKS, OWN)) == [
        ("record_numbers", "KX-#######", 2, False),
        ("record_numbers", "########", 1, True),
        ("departments", "김갑순기념내과", 1, False),
        ("wards", "달빛", 1, True),
    ]


@pytest.mark.parametrize("value", ["KX-4410927", "ＫＸ－４４１０９２７", "KX-\n4410927", "kx_4410927"])
def test_a_proposed_pattern_finds_the_value_it_comes_from_and_others_and_holds_no_digit(value: str) -> None:
    (found,) = changes([("MRN", value)], Profile())
    assert not any(sign.isdigit() for sign in found.entry)
    numbers = RecordNumbers([found.entry])
    assert all(list(numbers.find(squeeze(f"환자 {text} 내원"))) for text in (value, "KX-0000001"))
    assert changes([("MRN", "KX-7654321")], Profile(record_numbers=(found.entry,))) == ()


PROFILES = {
    "flow": 'profile: 1\nrecord_numbers: ["BG-#######"]  # ours\ndepartments: []\n',
    "flow over lines": 'profile: 1\nrecord_numbers: [\n  "BG-#######",  # ours\n]\ncolumns: {a: direct}\n',
    "block": 'profile: 1\nrecord_numbers:\n  - "BG-#######"  # ours\ndepartments:\n- 내과계\nwards: [a병동]\n',
    "without end": "profile: 1\norganisations:\n  - 빛고을병원",
    "none yet": "",
}


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_accepted_is_added_and_all_else_stays_as_it_was_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / "p.yaml"
    if PROFILES[name]:
        path.write_text(PROFILES[name], encoding="utf-8")
    before = read_profile(path)
    proposed = changes(MARKS, before)
    accept(path, proposed)
    after = read_profile(path)
    for field in ("record_numbers", "organisations", "departments", "wards"):
        added = tuple(each.entry for each in proposed if each.field == field)
        assert getattr(after, field) == (*getattr(before, field), *added)
    text = path.read_text(encoding="utf-8")
    assert text.count("# ours") == PROFILES[name].count("# ours")
    assert changes(MARKS, after) == ()


def command(tmp_path: Path, *more: str) -> Result:
    rows = "\n".join(f"{kind},{value}" for kind, value in MARKS[:5])
    (tmp_path / "missed.csv").write_text(f"type,value\n{rows}\n", encoding="utf-8")
    words = ["profile", str(tmp_path / "missed.csv"), "--profile", str(tmp_path / "p.yaml"), *more]
    return CliRunner().invoke(cli.deid, words)


def test_nothing_is_written_that_nobody_accepted(tmp_path: Path) -> None:
    result = command(tmp_path)
    assert (result.exit_code, (tmp_path / "p.yaml").exists()) == (0, False)
    assert [each for each in ("KX-#######", "놓친 등록번호 2개", "주의") if each not in result.output] == []
    assert "4410927" not in result.output


def test_a_person_accepts_by_number_and_a_wrong_number_is_refused(tmp_path: Path) -> None:
    assert command(tmp_path, "--accept", "9").exit_code == 8
    result = command(tmp_path, "--accept", "1, 3")
    assert result.exit_code == 0, result.output
    found = read_profile(tmp_path / "p.yaml")
    assert (found.record_numbers, found.departments, found.wards) == (("KX-#######",), ("김갑순기념내과",), ())
    assert "놓친 등록번호 2개" in (tmp_path / "p.yaml").read_text(encoding="utf-8"), "the reason stays beside it"


def test_what_is_no_profile_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("recipe: 1\n")
    assert command(tmp_path, "--accept", "1").exit_code == 3
    assert (tmp_path / "p.yaml").read_text() == "recipe: 1\n"
