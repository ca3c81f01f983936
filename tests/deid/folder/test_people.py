"""Images and signals meet tables: one pseudonym, one day offset, and none of it between projects or data sets."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl
import pytest

from deid.folder.format import Refused
from deid.folder.people import People
from deid.keys import WorkerKeys
from deid.transform.pseudonyms import pseudonym, shift_days

KEYS = WorkerKeys(bytes(range(32)), "heart")
PEOPLE = People(KEYS, "chest", "patient", 180)
PATIENTS = ["P0001234", "홍길동", "00012", "a b", "1"]


@pytest.mark.parametrize("patient", PATIENTS)
def test_a_patient_has_the_pseudonym_and_the_offset_of_the_tables(patient: str) -> None:
    frame = pl.DataFrame({"id": [patient]}).select(
        pseudonym("id", KEYS, "chest", "patient").alias("pseudonym"),
        shift_days("id", KEYS, "chest", "patient", max_days=180).alias("days"),
    )
    assert (PEOPLE.pseudonym(patient), PEOPLE.days(patient)) == frame.row(0)


def test_offsets_are_within_bounds_and_never_nothing() -> None:
    days = {replace(PEOPLE, max_days=3).days(str(number)) for number in range(500)}
    assert days == {-3, -2, -1, 1, 2, 3}


@pytest.mark.parametrize(
    "other",
    [
        replace(PEOPLE, keys=WorkerKeys(bytes(range(32)), "lung")),
        replace(PEOPLE, keys=WorkerKeys(bytes(32), "heart")),
        replace(PEOPLE, dataset="brain"),
    ],
)
def test_another_project_key_or_data_set_shares_nothing(other: People) -> None:
    for give in (People.pseudonym, People.uid, lambda people, value: people.file_name(value, ".edf")):
        assert give(PEOPLE, "1.2.3") != give(other, "1.2.3")
    assert [PEOPLE.days(str(n)) for n in range(20)] != [other.days(str(n)) for n in range(20)]


def test_a_uid_is_a_uuid_and_padding_does_not_matter() -> None:
    new = PEOPLE.uid("1.2.840.1\0")
    assert new == PEOPLE.uid("1.2.840.1")
    assert re.fullmatch(r"2\.25\.[1-9]\d{0,38}", new)
    assert len(new) <= 64
    number = int(new.removeprefix("2.25."))
    assert number >> 76 & 0xF == 4
    assert number >> 62 & 0x3 == 2


def test_a_refusal_crosses_processes_whole() -> None:
    make, arguments = Refused("imaging.x", "가", "a", policy=False).__reduce__()
    again = make(*arguments)
    assert (again.code, again.ko, again.en, again.policy) == ("imaging.x", "가", "a", False)
