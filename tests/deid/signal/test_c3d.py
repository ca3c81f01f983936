"""C3D: parameters by an allow-list; the reference library reads the same points and analog samples."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deid.folder.format import Context, Refused
from deid.signal.c3d import C3d
from deid.signal.c3d_parameters import Parameter
from tests.deid.signal import reference_c3d
from tests.deid.signal.make_c3d import ANALOG, FRAMES, MARKERS, RATE, c3d
from tests.deid.signal.planted import hits, leaks, person
from tests.deid.signal.running import Runner


@pytest.mark.parametrize("korean", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_was_planted_is_left(run: Runner, tmp_path: Path, seed: int, korean: bool) -> None:
    who = person(seed)
    made = c3d(who, tmp_path / "made.c3d", korean=korean)
    assert len(hits(who, made)) > 10
    done = run(C3d(), f"{who.number}.c3d", made)
    assert leaks(who, done.folder) == []
    assert who.latin.split()[0].encode().upper() not in done.data.upper()


def test_the_reference_library_reads_the_same_data(run: Runner, tmp_path: Path) -> None:
    made = c3d(person(1), tmp_path / "made.c3d")
    done = run(C3d(), "a.c3d", made)
    old, new = reference_c3d.read(tmp_path / "made.c3d"), reference_c3d.read(done.file)
    assert np.array_equal(old.points, new.points, equal_nan=True)
    assert np.array_equal(old.analogs, new.analogs)
    parameters = new.parameters
    assert parameters["POINT"]["LABELS"] == [*MARKERS, "M005"]
    assert parameters["POINT"]["ANGLES"] == ["LKneeAngles", "M005"]
    assert parameters["ANALOG"]["LABELS"] == [*ANALOG, "A003"]
    assert parameters["POINT"]["RATE"] == [RATE]
    assert new.frames[1] - new.frames[0] + 1 == FRAMES
    assert parameters["EVENT"]["LABELS"] == ["Foot Strike", ""]
    assert parameters["EVENT"]["TIMES"] == old.parameters["EVENT"]["TIMES"]
    assert {"SUBJECTS", "MANUFACTURER", "PROCESSING", "ANALYSIS"}.isdisjoint(parameters)


@pytest.mark.parametrize(
    ("kind", "data", "number"),
    [(1, b"\0\1\1", True), (1, "홍길동".encode(), False), (2, b"AB", True), (4, bytes(4), True), (-1, b"mm", False)],
)
def test_bytes_that_could_be_letters_are_no_numbers(kind: int, data: bytes, number: bool) -> None:
    assert Parameter(kind, (len(data),), data).is_number is number


@pytest.mark.parametrize(("group", "key"), [("KIM", "UNITS"), ("김", "UNITS"), ("POINT", "UNITS01012345678")])
def test_names_of_groups_and_parameters_are_of_the_list(run: Runner, tmp_path: Path, group: str, key: str) -> None:
    c3d(person(2), tmp_path / "made.c3d")
    reference_c3d.add(tmp_path / "made.c3d", tmp_path / "named.c3d", group, key, ["mm"])
    done = run(C3d(), "a.c3d", (tmp_path / "named.c3d").read_bytes())
    assert b"KIM" not in done.data
    assert b"010123" not in done.data
    assert "김".encode() not in done.data


def test_events_in_the_header_keep_known_names(run: Runner, tmp_path: Path) -> None:
    done = run(C3d(), "a.c3d", c3d(person(2), tmp_path / "made.c3d"))
    assert done.data[396:404] == b"LHS EV02"


@pytest.mark.parametrize(
    ("place", "data", "code"),
    [
        (0, b"\xff", "signal.c3d-header"),
        (1, b"\x51", "signal.truncated"),
        (2, b"\xff\xff", "signal.truncated"),
        (6, b"\xff\xff\1\0", "signal.c3d-header"),
        (8, b"\xff\xfe", "signal.truncated"),
        (16, b"\1\0", "signal.truncated"),
        (16, b"\3\0", "signal.c3d-layout"),
        (16, b"\xff\xff", "signal.truncated"),
        (515, b"\x57", "signal.c3d-header"),
    ],
)
def test_what_lies_is_refused(run: Runner, tmp_path: Path, place: int, data: bytes, code: str) -> None:
    made = bytearray(c3d(person(3), tmp_path / "made.c3d"))
    made[place : place + len(data)] = data
    assert run.refused(C3d(), "a.c3d", bytes(made)) == code


def test_a_chain_of_parameters_that_goes_back_is_refused(run: Runner, tmp_path: Path) -> None:
    made = c3d(person(3), tmp_path / "made.c3d")
    at = made.index(b"POINT") + len(b"POINT")
    assert run.refused(C3d(), "a.c3d", made[:at] + struct.pack("<H", 1) + made[at + 2 :]) == "signal.c3d-parameters"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return c3d(person(4), tmp_path_factory.mktemp("c3d") / "made.c3d")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_never_brings_a_crash_nor_a_name(people, made, data) -> None:
    who = person(4)
    damaged = bytearray(made)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 3000))
        damaged[place : place + 2] = data.draw(st.binary(min_size=2, max_size=2))
    try:
        out = b"".join(C3d().clean(bytes(damaged), Context(people, None, "a.c3d")).pieces)
    except Refused:
        return
    # With more frames than there are, what stands behind them is read as samples.
    if damaged[:12] == made[:12]:
        assert [kind for kind in hits(who, out) if kind in {"latin", "number", "phone", "serial", "note"}] == []
