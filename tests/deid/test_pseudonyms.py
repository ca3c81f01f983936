"""Pseudonyms are keyed, one to one, and apart between domains; shifts belong to the patient and keep intervals."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from deid import keys
from deid.errors import KeyFileError
from deid.keys import Keys
from deid.transform.pseudonyms import pseudonym, shift_days
from tests.deid.factory import HEAD, PEOPLE, Hospital, gates, table, visits

SIGNING = Ed25519PrivateKey.generate()
SECRETS = st.binary(min_size=32, max_size=32)
IDS = st.lists(st.text(max_size=20), min_size=1, max_size=50, unique=True)


def tags(ids: list[str], master: bytes, scope: str = "s", domain: str = "d") -> list[str]:
    frame = pl.DataFrame({"id": pl.Series(ids, dtype=pl.String)})
    return frame.select(pseudonym("id", Keys(master, SIGNING), scope, domain)).to_series().to_list()


def shifts(ids: list[str], master: bytes, days: int) -> list[int]:
    frame = pl.DataFrame({"id": pl.Series(ids, dtype=pl.String)})
    return frame.select(shift_days("id", Keys(master, SIGNING), "s", "d", max_days=days)).to_series().to_list()


@given(IDS, SECRETS)
def test_a_pseudonym_is_hmac_sha256_under_the_derived_key_cut_to_16_bytes(ids: list[str], master: bytes) -> None:
    key = Keys(master, SIGNING).derive("pseudonym", "s", "d").hex().encode()
    assert tags(ids, master) == [hmac.digest(key, i.encode(), hashlib.sha256).hex()[:32] for i in ids]


@given(IDS, SECRETS, SECRETS)
def test_pseudonyms_are_one_to_one_and_depend_on_the_key(ids: list[str], one: bytes, two: bytes) -> None:
    first = tags(ids, one)
    assert len(set(first)) == len(ids)
    assert first == tags(ids, one)
    if one != two:
        assert set(first).isdisjoint(tags(ids, two))


@given(IDS, SECRETS)
def test_pseudonyms_of_other_datasets_and_domains_cannot_be_joined(ids: list[str], master: bytes) -> None:
    variants = [tags(ids, master, scope, domain) for scope, domain in (("s", "d"), ("s", "e"), ("t", "d"), ("sd", ""))]
    assert len(set().union(*variants)) == len(ids) * len(variants)


@given(IDS, SECRETS, st.integers(1, 36500))
def test_a_shift_is_never_zero_and_never_too_far(ids: list[str], master: bytes, days: int) -> None:
    found = shifts(ids, master, days)
    assert all(0 < abs(shift) <= days for shift in found)
    assert found == shifts(ids, master, days)


def test_shifts_reach_every_day_evenly() -> None:
    found = shifts([str(i) for i in range(8000)], b"\1" * 32, 2)
    counts = {day: found.count(day) for day in (-2, -1, 1, 2)}
    assert sum(counts.values()) == 8000
    assert all(1800 < count < 2200 for count in counts.values())


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.sampled_from("ABCDE"), st.dates(date(1950, 1, 1), date(2030, 1, 1))), min_size=1, max_size=30)
)
def test_intervals_within_a_patient_are_kept_and_all_rows_of_a_patient_move_alike(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, date]]
) -> None:
    from tests.deid.factory import hospital

    clinic = hospital(tmp_path_factory.mktemp("h") / "c")
    clinic.write("visits.csv", visits([(no, "x", "M", 30, day, number) for number, (no, day) in enumerate(rows)]))
    frame = table(clinic.run(HEAD + gates(k=1) + PEOPLE), "visits").sort("amount")
    moved: dict[str, timedelta] = {}
    for (no, day), new in zip(rows, frame["day"], strict=True):
        assert moved.setdefault(no, new - day) == new - day
        assert 0 < abs((new - day).days) <= 30
    assert len(set(frame["patient"])) == len({no for no, _ in rows})


def test_keys_are_made_once_closed_to_others_and_refused_when_open(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    path = keys.create_master(folder)
    keys.create_signing(folder / "s.pem")
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(keys.load(folder, folder / "s.pem").master) == 32
    with pytest.raises(FileExistsError):
        keys.create_master(folder)
    path.chmod(0o640)
    with pytest.raises(KeyFileError) as caught:
        keys.load(folder, folder / "s.pem")
    assert caught.value.code == "deid.key-open"


def test_keys_do_not_show_in_their_representation(clinic: Hospital) -> None:
    assert clinic.keys.master.hex() not in repr(clinic.keys)
    assert repr(clinic.keys.master) not in repr(clinic.keys)


def test_neither_keys_nor_source_identifiers_are_in_any_published_byte(clinic: Hospital) -> None:
    rows = [(f"PATIENT-{n:04d}", "홍길동임", "M", 30, "2020-01-01", n) for n in range(50)]
    clinic.write("visits.csv", visits(rows))
    result = clinic.run(HEAD + gates() + PEOPLE)
    published = b"".join(path.read_bytes() for path in result.snapshot.rglob("*") if path.is_file())
    published += table(result, "visits").write_csv().encode()
    derived = clinic.keys.derive("pseudonym", "visits", "patient")
    for secret in (clinic.keys.master, derived, derived.hex().encode(), b"PATIENT-", "홍길동임".encode()):
        assert secret not in published
    assert clinic.keys.master.hex().encode() not in published


def test_a_published_date_is_moved_by_the_second_key_alone(clinic: Hospital) -> None:
    rows = [(f"n{number}", "x", "M", 30, "2020-01-01", number) for number in range(40)]
    clinic.write("visits.csv", visits(rows))
    frame = table(clinic.run(HEAD + gates(k=1) + PEOPLE), "visits").sort("amount")
    key = clinic.keys.derive("date-shift", "visits", "patient").hex().encode()
    steps = [int(hmac.digest(key, no.encode(), hashlib.sha256).hex()[:12], 16) % 60 for no, *_ in rows]
    expected = [step - 30 if step < 30 else step - 29 for step in steps]
    assert [(day - date(2020, 1, 1)).days for day in frame["day"]] == expected
