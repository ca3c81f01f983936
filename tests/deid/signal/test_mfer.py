"""MFER: an allow-list of records; samples and what says how they read stay byte for byte."""

from __future__ import annotations

import datetime as dt
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deid.folder.format import Context, Refused
from deid.signal.mfer import Mfer
from tests.deid.signal.make_mfer import LEADS, mfer, read, record, samples
from tests.deid.signal.planted import hits, leaks, person
from tests.deid.signal.running import Runner


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "shift_jis"])
@pytest.mark.parametrize("seed", range(2))
def test_nothing_that_was_planted_is_left(run: Runner, encoding: str, order: str, seed: int) -> None:
    who = person(seed)
    made = mfer(who, encoding=encoding, order=order)
    assert len(hits(who, made)) > 5
    assert leaks(who, run(Mfer(), f"{who.korean}.MWF", made).folder) == []


@pytest.mark.parametrize("order", "<>")
def test_samples_and_their_scales_stay(run: Runner, order: str) -> None:
    who = person(3)
    old, new = read(mfer(who, order=order)), read(run(Mfer(), "a.mwf", mfer(who, order=order)).data)
    assert new[0x1E] == [samples(order).tobytes()]
    for tag in (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0B, 0x0C):
        assert new[tag] == old[tag]
    assert new[0x3F] == [record(0x09, struct.pack(order + "H", lead)) for lead in LEADS]
    assert new[0x08] == [struct.pack(order + "H", 1)]
    assert new[0x41] == [struct.pack(order + "HII", 300, 10, 20)]
    assert [value[6:] for value in new[0x42]] == [b"72\0"]
    assert new[0x40] == [b"MFR Standard 12 leads ECG".ljust(32)]
    rest = {0x08, 0x0A, 0x0B, 0x0C, 0x1E, 0x3F, 0x40, 0x41, 0x42, 0x80, 0x82, 0x85, 0x87}
    assert set(new) == {*range(1, 7), *rest}


def test_nothing_stands_behind_the_samples_of_leads_that_are_named_one_by_one(run: Runner) -> None:
    who = person(3)
    whole = record(0x1E, samples().tobytes())
    made = mfer(who).replace(whole, record(0x1E, samples().tobytes() + who.phone.encode()))
    assert len(made) > len(mfer(who))
    assert read(run(Mfer(), "a.mwf", made).data)[0x1E] == [samples().tobytes()]


@pytest.mark.parametrize("order", "<>")
def test_the_day_moves_and_the_clock_goes(run: Runner, order: str) -> None:
    who = person(4)
    new = read(run(Mfer(), "a.mwf", mfer(who, order=order)).data)
    assert new[0x82] == [run.people.pseudonym(who.number).encode()]
    year, month, day, *clock = struct.unpack(order + "HBBBBBHH", new[0x85][0])
    assert (dt.date(year, month, day) - who.start.date()).days == run.people.days(who.number)
    assert clock == [0] * 5


GOOD = mfer(person(5), behind=False)
NESTED = record(0x3F, record(0x3F, record(0x3F, record(0x3F, b"", 0), 0), 0), 0) + record(0x1E, b"")
SEVEN = b"".join(record(tag, b"\7") for tag in (0x04, 0x05, 0x06)) + record(0x1E, b"ab")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (GOOD[:-9], "signal.truncated"),
        (GOOD[:37], "signal.mfer-empty"),
        (b"\x40\x20MFR " + bytes(28) + b"\x1e\x84\xff\xff\xff\xff", "signal.truncated"),
        (b"\x40\x20MFR " + bytes(28) + b"\x1e\x80", "signal.truncated"),
        (b"\x40\x20MFR " + bytes(28) + b"\x3f\xff\xff\xff\xff\xff", "signal.truncated"),
        (b"\x40\x20MFR " + bytes(28) + b"\x3f\0\x7f" * 50_000, "signal.truncated"),
        (b"\x40\x20MFR " + bytes(28) + SEVEN, "signal.truncated"),
        (b"\x40\x20MFR " + bytes(28) + b"\x06\1\0" * 200_001, "signal.truncated"),
    ],
    ids=range(8),
)  # fmt: skip
def test_what_lies_is_refused(run: Runner, data: bytes, code: str) -> None:
    assert run.refused(Mfer(), "a.mwf", data) == code


def test_attributes_within_attributes_are_dropped(run: Runner) -> None:
    done = run(Mfer(), "a.mwf", b"\x40\x20MFR " + bytes(28) + NESTED)
    assert set(read(done.data)) == {0x40, 0x1E, 0x80}


def test_samples_are_cut_to_their_count(run: Runner) -> None:
    head = b"\x40\x20MFR " + bytes(28) + record(0x04, b"\2") + record(0x05, b"\1") + record(0x06, b"\2")
    done = run(Mfer(), "a.mwf", head + record(0x1E, bytes(range(8)) + "홍길동".encode()))
    assert read(done.data)[0x1E] == [bytes(range(8))]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_never_brings_a_crash_nor_a_name(people, data) -> None:
    who = person(6)
    made = bytearray(mfer(who))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(36, 700))
        made[place : place + 2] = data.draw(st.binary(min_size=1, max_size=3))
    try:
        out = b"".join(Mfer().clean(bytes(made), Context(people, None, "a.mwf")).pieces)
    except Refused:
        return
    read(out)
