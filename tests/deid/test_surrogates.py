"""Surrogates: NIST's own samples of FF1, one to one and undone by the key alone, never a real person's number."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deid.detect.scan import scan
from deid.errors import RecipeError, SourceError
from deid.transform.ff1 import Ff1, Permutation
from deid.transform.surrogates import KINDS, misfit, surrogates
from tests.deid.factory import HEAD, Hospital, gates, table

KEY = b"k" * 32
NIST_KEY = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")
NUMERALS = string.digits + string.ascii_lowercase
DIGITS, LONG = "39383736353433323130", "3737373770717273373737"
# NIST, "Examples with Intermediate Values": FF1 samples 1 to 9 (AES-128, -192, -256).
SAMPLES = [
    (16, 10, "0123456789", "", "2433477484"),
    (16, 10, "0123456789", DIGITS, "6124200773"),
    (16, 36, "0123456789abcdefghi", LONG, "a9tv40mll9kdu509eum"),
    (24, 10, "0123456789", "", "2830668132"),
    (24, 10, "0123456789", DIGITS, "2496655549"),
    (24, 36, "0123456789abcdefghi", LONG, "xbj3kv35jrawxv32ysr"),
    (32, 10, "0123456789", "", "6657667009"),
    (32, 10, "0123456789", DIGITS, "1001623463"),
    (32, 36, "0123456789abcdefghi", LONG, "xs8a0azh2avyalyzuwd"),
]


def numeral(value: int, radix: int, length: int) -> str:
    text = ""
    for _ in range(length):
        value, place = divmod(value, radix)
        text = NUMERALS[place] + text
    return text


@pytest.mark.parametrize(("key", "radix", "plain", "tweak", "cipher"), SAMPLES)
def test_ff1_gives_nists_samples_and_takes_them_back(key: int, radix: int, plain: str, tweak: str, cipher: str) -> None:
    ff1 = Ff1(NIST_KEY[:key], radix, len(plain), bytes.fromhex(tweak))
    encrypted = ff1.encrypt([int(plain, radix)])
    assert numeral(encrypted[0], radix, len(plain)) == cipher
    assert ff1.decrypt(encrypted) == [int(plain, radix)]


@given(st.sampled_from([(2, 20), (2, 37), (2, 64), (10, 6), (10, 13), (36, 11), (65536, 4)]), st.data())
def test_many_at_a_time_is_the_same_as_one_by_one(domain: tuple[int, int], data: st.DataObject) -> None:
    radix, length = domain
    ff1 = Ff1(KEY, radix, length, b"tweak")
    assert ff1._fast
    values = data.draw(st.lists(st.integers(0, radix**length - 1), min_size=1, max_size=20))
    assert ff1.encrypt(values) == [ff1._one(value, inverse=False) for value in values]


@given(st.integers(10**6, 10**22), st.data())
def test_a_permutation_stays_in_its_range_and_is_undone(size: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=20, unique=True))
    cipher = Permutation(KEY, size, b"t")
    found = cipher.encrypt(values)
    assert all(0 <= value < size for value in found)
    assert len(set(found)) == len(values)
    assert cipher.decrypt(found) == values


@pytest.mark.parametrize("make", [lambda: Ff1(KEY, 10, 5), lambda: Permutation(KEY, 999_999)])
def test_a_domain_below_a_million_is_refused(make: object) -> None:
    with pytest.raises(ValueError, match="1000000 or more"):
        make()  # type: ignore[operator]


RRNS = st.from_regex(r"[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[- ]?[0-9]{7}", fullmatch=True)
PHONES = st.from_regex(r"(01[016789]|070)[-. ]?[0-9]{3,4}[-. ]?[0-9]{4}", fullmatch=True)
CHARTS = st.from_regex(r"[A-Za-z]{0,3}[-/ ]?[0-9A-Z]{6,14}", fullmatch=True)
NUMBERS = st.from_regex(r"[0-9]{6,20}|[0-9]{4}-[0-9]{4}-[0-9]{2,6}", fullmatch=True)
VALUES = {"rrn": RRNS, "phone": PHONES, "chart": CHARTS, "digits": NUMBERS}


@pytest.mark.parametrize("kind", KINDS)
def test_surrogates_are_one_to_one_keep_the_form_and_are_undone_by_the_key_alone(kind: str) -> None:
    @settings(max_examples=40)
    @given(st.lists(VALUES[kind], min_size=1, max_size=12, unique=True), st.binary(min_size=32, max_size=32))
    def holds(values: list[str], other: bytes) -> None:
        found = surrogates(values, kind, KEY)
        assert None not in found
        assert len(set(found)) == len(values)
        written = [str(each) for each in found]
        assert [form(value) for value in written] == [form(value) for value in values]
        assert surrogates(written, kind, KEY, inverse=True) == values
        if other != KEY and len(values) > 4:
            assert surrogates(written, kind, other, inverse=True) != values

    holds()


def form(value: str) -> str:
    return re.sub("[a-z]", "a", re.sub("[A-Z]", "A", re.sub("[0-9]", "0", value)))


@given(st.lists(RRNS, min_size=1, max_size=20))
def test_no_surrogate_of_a_resident_number_can_be_a_persons(values: list[str]) -> None:
    for value in surrogates(values, "rrn", KEY):
        assert value is not None
        assert 81 <= int(value[2:4]) <= 92
        assert not [found for found in scan(f"환자 {value} 외래") if found.type in {"RRN", "FRN"}]


@given(st.lists(PHONES, min_size=1, max_size=20))
def test_no_surrogate_of_a_telephone_can_be_a_persons(values: list[str]) -> None:
    assert all(str(value).startswith("09") for value in surrogates(values, "phone", KEY))


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("digits", "12345", "short"), ("digits", "A12345678", "form"), ("digits", "", "short"),
        ("chart", "AB12", "short"), ("chart", "가12345678", "form"), ("chart", "１２３４５６７", "form"),
        ("rrn", "901301-1234567", "form"), ("rrn", "900132-1234567", "form"), ("rrn", "9001011234", "form"),
        ("rrn", "908101-1234567", "form"), ("phone", "062-123-4567", "form"), ("phone", "090-1234-5678", "form"),
        ("phone", "+82 10-1234-5678", "form"),
    ],
)  # fmt: skip
def test_what_has_no_surrogate_is_said_why(kind: str, value: str, why: str) -> None:
    assert surrogates([value], kind, KEY) == [None]
    assert misfit(value, kind) == why


TABLE = """\
tables:
  visits:
    file: visits.csv
    label: {{ko: 방문, en: Visits}}
    subject: no
    columns:
      no: {{treatment: pseudonym, domain: patient, as: patient}}
      chart: {{treatment: surrogate, kind: chart, domain: chart{more}}}
"""


def charts(*values: str) -> str:
    return "no,chart\n" + "".join(f"n{number},{value}\n" for number, value in enumerate(values))


def run(clinic: Hospital, source: str, more: str = "", project: str = "") -> list[str | None]:
    clinic.write("visits.csv", source)
    result = clinic.run(HEAD + gates(k=1) + TABLE.format(more=more), project=project)
    return table(result, "visits")["chart"].to_list()


def test_a_column_of_surrogates_repeats_what_repeats_and_differs_between_projects(clinic: Hospital) -> None:
    source = charts("A0012345", "A0012345", "B9912345", "")
    ours, theirs = run(clinic, source), run(clinic, source, project="P-1")
    there = [value for value in ours if value]
    assert (len(there), len(set(there)), ours.count(None)) == (3, 2, 1)
    assert set(there).isdisjoint(theirs)


@pytest.mark.parametrize(
    ("source", "more", "code"),
    [
        (charts("A0012345", "A1"), "", "deid.source-surrogate-short"),
        (charts("A0012345", "번호12345678"), "", "deid.source-surrogate"),
        (charts("A0012345", "A001234"), ", length: 8", "deid.source-surrogate"),
    ],
)
def test_a_value_without_surrogate_stops_the_run_with_its_line_and_not_with_itself(
    clinic: Hospital, source: str, more: str, code: str
) -> None:
    with pytest.raises(SourceError) as caught:
        run(clinic, source, more)
    assert (caught.value.code, caught.value.line) == (code, 3)
    assert source.rsplit(",", maxsplit=1)[-1].strip() not in f"{caught.value.ko}{caught.value.en}"
    assert run(clinic, source, more + ", invalid: empty").count(None) == 1


def test_a_length_of_too_few_values_is_refused_in_the_recipe(clinic: Hospital) -> None:
    with pytest.raises(RecipeError) as caught:
        run(clinic, charts("1"), ", length: 4")
    assert caught.value.code == "deid.recipe-length"
