"""SCP-ECG: section 1 anew, samples as they were, right CRCs; texts and what stands behind sections are gone."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deid.folder.format import Context, Refused
from deid.signal.scp import Scp
from tests.deid.signal.make_scp import COUNT, LEADS, read, samples, scp
from tests.deid.signal.planted import hits, leaks, person
from tests.deid.signal.running import Runner


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_was_planted_is_left(run: Runner, encoding: str, seed: int) -> None:
    who = person(seed)
    made = scp(who, encoding=encoding)
    assert len(hits(who, made)) > 10
    assert leaks(who, run(Scp(), f"{who.korean}.scp", made).folder) == []


def test_samples_stay_and_the_crcs_are_right(run: Runner) -> None:
    new = read(run(Scp(), "a.scp", scp(person(1))).data)
    assert set(new) == {0, 1, 2, 3, 4, 6}
    assert new[3] == bytes([3, 4]) + b"".join(struct.pack("<IIB", 1, COUNT, lead) for lead in LEADS) + b"\0"
    wave = np.frombuffer(new[6][6 + 2 * len(LEADS) :], "<i2").reshape(len(LEADS), COUNT)
    assert np.array_equal(wave, samples())


def test_section_one_says_who_and_when_anew(run: Runner) -> None:
    who = person(2)
    done = run(Scp(), "a.scp", scp(who))
    data, tags = read(done.data)[1], {}
    while data[0] != 255:
        number, length = struct.unpack("<BH", data[:3])
        tags[number], data = data[3 : 3 + length], data[3 + length :]
    assert tags[2] == run.people.pseudonym(who.number).encode() + b"\0"
    year, month, day = struct.unpack("<HBB", tags[25])
    shifted = np.datetime64(f"{year:04}-{month:02}-{day:02}") - np.datetime64(who.day)
    assert shifted.astype(int) == run.people.days(who.number)
    assert tags[26] == bytes(3)
    assert set(tags) == {2, 14, 25, 26, 27, 28, 29}
    assert tags[14][6:8] == b"\0\xff"
    assert tags[14][14:19] == bytes([20, 0xD0, 1, 0x90, 2])


GOOD = scp(person(4), behind=False)
WAVE = struct.pack("<HHBB", 1000, 2000, 0, 0)


def _changed(place: int, data: bytes) -> bytes:
    return GOOD[:place] + data + GOOD[place + len(data) :]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (GOOD[:-1], "signal.truncated"),
        (GOOD[:30], "signal.truncated"),
        (_changed(2, b"\xff\xff\xff\xff"), "signal.truncated"),
        (_changed(10, b"\xff\xff\xff\x7f"), "signal.truncated"),
        (_changed(38, b"\xff\xff\xff\x7f"), "signal.truncated"),
        (_changed(32, b"\2\0"), "signal.truncated"),
        (_changed(34, b"\xff\xff\xff\xff"), "signal.truncated"),
        (GOOD.replace(WAVE + b"\xe8\3", WAVE + b"\xff\xff"), "signal.truncated"),
        (_changed(42, struct.pack("<H", 1)), "signal.scp-section"),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_lies_is_refused(run: Runner, data: bytes, code: str) -> None:
    assert run.refused(Scp(), "a.scp", data) == code


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_never_brings_a_crash_nor_a_name(people, data) -> None:
    who = person(5)
    made = bytearray(scp(who))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 1000))
        made[place : place + 4] = data.draw(st.binary(min_size=4, max_size=4))
    try:
        out = b"".join(Scp().clean(bytes(made), Context(people, None, "a.scp")).pieces)
    except Refused:
        return
    assert [kind for kind in hits(who, out) if kind in {"korean", "latin", "number", "phone", "serial", "note"}] == []
