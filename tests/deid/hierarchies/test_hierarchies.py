"""Hierarchies: the right label on each level, labels that only ever merge, and files of a site's own."""

from __future__ import annotations

import string
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.hierarchies.hierarchy import Hierarchy
from deid.hierarchies.kcd8 import CHAPTERS
from deid.hierarchies.known import KNOWN, hierarchy_named
from deid.hierarchies.postcode import PROVINCES as POSTAL
from deid.hierarchies.regions import AREAS, FORMER, PROVINCES, tree
from deid.hierarchies.table import read_table


def labels(name: str, value: str) -> list[str | None]:
    known = KNOWN[name]
    return [known.label(value, level) for level in range(known.levels + 1)]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("kcd8", "C50.1", ["C50.1", "C50", "C50", "C00-D48", "*"]),
        ("kcd8", "c501", ["C50.1", "C50", "C50", "C00-D48", "*"]),
        ("kcd8", " U07.1 ", ["U07.1", "U07", "U00-U19", "U00-U99", "*"]),
        ("kcd8", "U20", ["U20", "U20", "U20-U33", "U00-U99", "*"]),
        ("kcd8", "A17.0+", ["A17.0", "A17", "A15-A19", "A00-B99", "*"]),
        ("kcd8", "G01*", ["G01", "G01", "G00-G09", "G00-G99", "*"]),
        ("kcd8", "S72.000", ["S72.000", "S72", "S70-S79", "S00-T98", "*"]),
        ("kcd8", "D48", ["D48", "D48", "D37-D48", "C00-D48", "*"]),
        ("kcd8", "D50.9", ["D50.9", "D50", "D50-D53", "D50-D89", "*"]),
        ("kcd8", "Y05", ["Y05", "Y05", "X85-Y09", "V01-Y98", "*"]),
        ("kcd8", "X99.9", ["X99.9", "X99", "X85-Y09", "V01-Y98", "*"]),
        ("kcd8", "I1O", [None] * 5),
        ("kcd8", "I03", [None] * 5),
        ("kcd8", "E99", [None] * 5),
        ("kcd8", "", [None] * 5),
        ("atc", "A10BA02", ["A10BA02", "A10BA", "A10B", "A10", "A", "*"]),
        ("atc", "n02be01", ["N02BE01", "N02BE", "N02B", "N02", "N", "*"]),
        ("atc", "C09", ["C09", "C09", "C09", "C09", "C", "*"]),
        ("atc", "Q10", [None] * 6),
        ("atc", "A1", [None] * 6),
        ("postcode", "61452", ["61452", "614**", "61***", "광주광역시", "*"]),
        ("postcode", "6236", ["06236", "062**", "06***", "서울특별시", "*"]),
        ("postcode", "30103", ["30103", "301**", "30***", "세종특별자치시", "*"]),
        ("postcode", "64000", [None] * 5),
        ("postcode", "500-757", [None] * 5),
        ("age", "37", ["37", "35-39", "30-39", "20-39", "*"]),
        ("age", "89", ["89", "85-89", "80-89", "80+", "*"]),
        ("age", "104", ["90+", "90+", "90+", "80+", "*"]),
        ("age", "-1", [None] * 5),
        ("age", "900", [None] * 5),
    ],
)
def test_each_level_has_the_label_of_the_official_structure(name: str, value: str, expected: list[str | None]) -> None:
    assert labels(name, value) == expected


@pytest.mark.parametrize(
    ("address", "finest", "province"),
    [
        ("광주광역시 동구 제봉로 42", "광주광역시 동구", "광주광역시"),
        ("광주 북구 용봉동 300", "광주광역시 북구", "광주광역시"),
        ("경기도 광주시 오포읍", "경기도 광주시", "경기도"),
        ("광주시 오포읍 신현리", "경기도 광주시", "경기도"),
        ("경기 수원시 영통구 매탄동 1", "경기도 수원시 영통구", "경기도"),
        ("수원시영통구매탄동", "경기도 수원시 영통구", "경기도"),
        ("강원도 춘천시 중앙로 1", "강원특별자치도 춘천시", "강원특별자치도"),
        ("강원특별자치도 고성군 간성읍", "강원특별자치도 고성군", "강원특별자치도"),
        ("경남 고성군 고성읍", "경상남도 고성군", "경상남도"),
        ("전라북도 전주시 덕진구", "전북특별자치도 전주시 덕진구", "전북특별자치도"),
        ("전남 순천시 왕지로 19", "전라남도 순천시", "전라남도"),
        ("경상북도 군위군 군위읍", "대구광역시 군위군", "대구광역시"),
        ("(06236) 서울 강남구 테헤란로 1", "서울특별시 강남구", "서울특별시"),
        ("서울시강서구", "서울특별시 강서구", "서울특별시"),
        ("부산 부산진구 전포동", "부산광역시 부산진구", "부산광역시"),
        ("인천 남구 주안동", "인천광역시 미추홀구", "인천광역시"),
        ("세종특별자치시 한누리대로 2130", "세종특별자치시", "세종특별자치시"),
        ("제주도 서귀포시 중앙로", "제주특별자치도 서귀포시", "제주특별자치도"),
        ("경상남도 마산시 합포동", "경상남도 창원시", "경상남도"),
        ("서울특별시", None, "서울특별시"),
        ("중구 을지로 1", None, None),
        ("고성군 간성읍", None, None),
        ("Toronto, Ontario", None, None),
    ],
)
def test_an_address_gives_its_district_by_todays_name(address: str, finest: str | None, province: str | None) -> None:
    assert (KNOWN["sigungu"].label(address, 0), KNOWN["sigungu"].label(address, 2)) == (finest, province)


def test_no_label_of_an_address_says_more_than_its_district() -> None:
    found = labels("sigungu", "경기도 성남시 분당구 불정로 6 홍길동방 101동 1203호")
    assert found == ["경기도 성남시 분당구", "경기도 성남시", "경기도", "수도권", "*"]


def test_the_tables_behind_the_hierarchies_are_whole() -> None:
    assert len(CHAPTERS) == 22
    assert set(PROVINCES) == set(AREAS) == set(tree()) == {name for _, name in POSTAL}
    # 229: 226 하위 자치단체와 제주의 두 행정시, 세종; 2026년 인천의 세 구는 그 위에.
    assert sum(len(cities) for cities in tree().values()) + 1 == 229 + 3
    assert all(not name or name in tree()[province] for province, name in FORMER.values())


CODES = st.one_of(
    st.from_regex(r"[A-Z][0-9]{2}(\.[0-9]{1,2})?", fullmatch=True),
    st.from_regex(r"[ABCDGHJLMNPRSV][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?", fullmatch=True),
    st.from_regex(r"[0-9]{1,5}", fullmatch=True),
    st.sampled_from([f"{alias} {city} 1" for name in tree() for alias in PROVINCES[name] for city in tree()[name]]),
    st.text(string.printable, max_size=8),
)  # fmt: skip


@given(st.sampled_from(sorted(KNOWN)), st.lists(CODES, min_size=2, max_size=30))
def test_labels_only_merge_when_the_level_rises(name: str, values: list[str]) -> None:
    table = KNOWN[name].table(pl.Series(values, dtype=pl.String))
    for level in range(KNOWN[name].levels):
        known = table.filter(pl.col(str(level)).is_not_null())
        assert (
            known.group_by(str(level))
            .agg(pl.col(str(level + 1)).n_unique())
            .filter(pl.col(str(level + 1)) > 1)
            .is_empty()
        )
        assert known[str(level + 1)].null_count() == 0
    assert set(table[str(KNOWN[name].levels)].drop_nulls()) <= {"*"}


@given(st.sampled_from([*"kac"]), st.lists(CODES, max_size=20))
def test_a_column_is_generalised_in_order_and_null_stays_null(first: str, values: list[str]) -> None:
    known = KNOWN[{"k": "kcd8", "a": "atc", "c": "age"}[first]]
    column = pl.Series([*values, None], dtype=pl.String)
    for level in range(known.levels + 1):
        assert known.generalise(column, level).to_list() == [*(known.label(value, level) for value in values), None]


@pytest.mark.parametrize("known", KNOWN.values(), ids=lambda known: known.name)
def test_loss_rises_from_nothing_to_everything(known: Hierarchy) -> None:
    losses = [known.loss(level) for level in range(known.levels + 1)]
    assert (losses[0], losses[-1]) == (0, 1)
    assert losses == sorted(losses)
    with pytest.raises(ValueError, match="levels 0 to"):
        known.loss(known.levels + 1)


def test_an_arx_file_is_read_and_its_loss_is_exact(tmp_path: Path) -> None:
    (tmp_path / "job.csv").write_text("nurse;clinic;*\ndoctor;clinic;*\nmason;other;*\n", encoding="utf-8-sig")
    found = hierarchy_named("job.csv", tmp_path)
    assert [found.label("nurse", level) for level in range(3)] == ["nurse", "clinic", "*"]
    assert found.label("painter", 1) is None
    assert [found.loss(level) for level in range(3)] == [0, pytest.approx(1 / 3), 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 lines"),
        ("a\n", "no label"),
        ("a;x;*\nb;*\n", "line 2 has 2 fields"),
        ("a;x;*\na;x;*\n", "line 2 repeats"),
        ("a;x;1;*\nb;x;2;*\n", "line 2 puts a label of level 1 under two"),
        ("a;x\nb;y\n", "last level has 2 labels"),
    ],
)
def test_an_arx_file_that_is_no_hierarchy_is_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "h.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_table(tmp_path / "h.csv")


@pytest.mark.parametrize("name", ["nothing", "../h.csv", "/etc/h.csv"])
def test_only_known_names_and_files_beside_the_recipe_are_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(LookupError):
        hierarchy_named(name, tmp_path)
