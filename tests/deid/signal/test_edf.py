"""EDF and its relatives: everything that names goes, every sample stays, what lies is refused."""

from __future__ import annotations

import io
import warnings

import edfio
import numpy as np
import pyedflib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deid.folder.format import Context, Refused
from deid.signal.edf import Edf
from tests.deid.signal.make_edf import edf
from tests.deid.signal.planted import hits, leaks, person
from tests.deid.signal.running import Runner

KINDS = {
    "edf+": {},
    "edf": {"plus": False},
    "edf in cp949": {"plus": False, "encoding": "cp949"},
    "bdf+": {"bdf": True},
    "bdf": {"bdf": True, "plus": False},
    "edf+ with something behind": {"trailing": "홍길동 010-1234-5678".encode("cp949") * 40},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_was_planted_is_left(run: Runner, kind: str, seed: int) -> None:
    who = person(seed)
    made = edf(who, **KINDS[kind])
    assert len(hits(who, made)) > 5, "the file names somebody to begin with"
    done = run(Edf(), f"{who.korean}/{who.number}.edf", made)
    assert leaks(who, done.folder) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_sample_stays_as_an_independent_reader_sees_it(run: Runner, kind: str) -> None:
    who = person(1)
    options = KINDS[kind] | {"encoding": "ascii", "trailing": b""}
    ascii_only = edf(who, **options)
    done = run(Edf(), "a.bdf" if options.get("bdf") else "a.edf", ascii_only)
    source = run.source / ("a.bdf" if options.get("bdf") else "a.edf")
    with pyedflib.EdfReader(str(done.file)) as new:
        # pyedflib refuses the old file's planted header; its samples are where the standard says.
        assert new.getSignalLabels()[0] == "EMG TA left"
        assert new.getPhysicalDimension(0) == "uV"
        assert new.getPrefilter(0) == "HP:10Hz LP:500Hz N:60Hz"
        assert (new.getPhysicalMinimum(1), new.getPhysicalMaximum(1)) == (-1500, 1500)
        width, body = (
            (3 if options.get("bdf") else 2),
            source.read_bytes()[256 * (2 + len(new.getSignalLabels()) - 1 + options.get("plus", True)) :],
        )
        for channel, (offset, count) in enumerate(((0, 64), (64, 32))):
            record = width * (96 + (120 if options.get("plus", True) else 0))
            raw = b"".join(body[r * record + width * offset : r * record + width * (offset + count)] for r in range(5))
            expected = [int.from_bytes(raw[i : i + width], "little", signed=True) for i in range(0, len(raw), width)]
            assert new.readSignal(channel, digital=True).tolist() == expected


def test_annotations_keep_their_times_and_lose_their_names(run: Runner) -> None:
    done = run(Edf(), "a.edf", edf(person(2)))
    found = edfio.read_edf(done.file).annotations
    assert [(a.onset, a.duration, a.text) for a in found] == [
        (0.5, 0.25, "Sleep stage W"),
        (1.5, 0.25, "X"),
        (2.5, 0.25, "X"),
        (3.5, 0.25, "Lights off"),
        (4.5, 0.25, "Arousal"),
    ]


def test_what_an_old_buffer_left_behind_the_annotations_goes_and_the_file_stays(run: Runner) -> None:
    padding, left_over = b"\0" * 40, "홍길동 010-1234-5678".encode("cp949") + b"\x14\0"
    made = edf(person(2))
    assert padding in made
    done = run(Edf(), "a.edf", made.replace(padding, b"\0" * (40 - len(left_over)) + left_over))
    assert left_over not in done.file.read_bytes()
    assert len(edfio.read_edf(done.file).annotations) == 5


def test_the_day_moves_by_the_patients_own_offset(run: Runner) -> None:
    who = person(3)
    done = run(Edf(), "a.edf", edf(who))
    new = edfio.read_edf(done.file)
    assert (new.startdate - who.start.date()).days == run.people.days(who.number)
    assert new.starttime.isoformat() == "00:00:00"
    assert new.patient.code == run.people.pseudonym(who.number) == done.outcome.patient
    assert {who.number, who.latin} <= done.outcome.removed


def test_a_file_without_a_number_stands_for_itself(run: Runner) -> None:
    who = person(3)
    data = bytearray(edf(who, plus=False))
    data[8:88] = b"X X X X".ljust(80)
    patients = {run(Edf(), name, bytes(data)).outcome.patient for name in ("a.edf", "b.edf")}
    assert len(patients) == 2


def _changed(place: int, text: bytes) -> bytes:
    data = bytearray(edf(person(4)))
    data[place : place + len(text)] = text
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (edf(person(4))[:-1], "signal.truncated"),
        (edf(person(4))[:300], "signal.truncated"),
        (edf(person(4))[:200], "signal.truncated"),
        (b"", "signal.empty"),
        (_changed(252, b"9999"), "signal.header"),
        (_changed(184, b"99999999"), "signal.header"),
        (_changed(236, b"99999999"), "signal.truncated"),
        (_changed(236, b"-7      "), "signal.truncated"),
        (_changed(236, "김씨    ".encode()), "signal.header"),
        (_changed(244, b"soon    "), "signal.header"),
        (_changed(256 + 3 * 216, b"-64     "), "signal.header"),
        (_changed(256 + 3 * 104, b"Hong    "), "signal.header"),
        (
            edf(person(4)).replace(b"+0.375\x14", b"Hong G\x14"),
            "signal.annotations",
        ),
    ],
    ids=range(13),
)
def test_what_lies_is_refused(run: Runner, data: bytes, code: str) -> None:
    assert run.refused(Edf(), "a.edf", data) == code


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_never_brings_a_crash_nor_a_name(people, data) -> None:
    who = person(5)
    made = bytearray(edf(who, records=2))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(made) - 1))
        made[place : place + 4] = data.draw(st.binary(min_size=1, max_size=12))
    made = made[: data.draw(st.integers(0, len(made)))]
    try:
        cleaned = Edf().clean(bytes(made), Context(people, None, "a.edf"))
    except Refused:
        return
    out = b"".join(cleaned.pieces)
    assert [kind for kind in hits(who, out) if kind in {"korean", "latin", "number", "phone", "serial", "note"}] == []


def test_digital_samples_of_the_generators_own_files_stay(run: Runner) -> None:
    """Files made by another program (EDFbrowser's generator, in pyedflib's wheel)."""
    from importlib.resources import files

    data = (files("pyedflib") / "data/test_generator.edf").read_bytes()
    done = run(Edf(), "t.edf", data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old, new = edfio.read_edf(io.BytesIO(data)), edfio.read_edf(io.BytesIO(done.data))
    for before, after in zip(old.signals, new.signals, strict=True):
        assert np.array_equal(before.digital, after.digital)
        assert before.sampling_frequency == after.sampling_frequency
    assert [a.onset for a in old.annotations] == [a.onset for a in new.annotations]
