"""Streams of the programme's sources: by the recipe and by names alone; what is not known goes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deid.errors import RecipeError
from deid.folder.format import Context, Refused
from deid.folder.recipe import load
from deid.recipe_yaml import read
from deid.signal.streams.csv_stream import Csv
from deid.signal.streams.json_stream import Json
from deid.signal.streams.moments import day_of, moment
from deid.signal.streams.rules import parse_signal
from deid.signal.streams.schema import Rules
from tests.deid.signal.make_streams import ROWS, SOURCES, Source
from tests.deid.signal.planted import hits, leaks, person
from tests.deid.signal.running import Done, Runner

RECIPE = Path(__file__).parents[3] / "recipes/signals.yaml"


@pytest.fixture(scope="module")
def rules() -> Rules:
    found = load(RECIPE, {"signal": parse_signal}).sections["signal"]
    assert isinstance(found, Rules)
    return found


def _run(run: Runner, source: Source, rules: Rules | None) -> Done:
    return run(Json() if source.name.endswith(("json", "jsonl")) else Csv(), source.name, source.data, rules=rules)


def _columns(done: Done, source: Source) -> dict[str, list[str]]:
    """Read what came out by another way: the values of each name, as they are spelled."""
    text = done.data.decode()
    if done.file.suffix in {".json", ".jsonl"}:
        spelled = {"parse_float": str, "parse_int": str}
        rows = [json.loads(line, **spelled) for line in text.splitlines()]
        rows = rows[0]["samples"] if done.file.suffix == ".json" else rows
        return {name: [row[name] for row in rows] for name in rows[0]}
    separator = next(mark for mark in "\t;|," if mark in text.splitlines()[0])
    names, *rows = csv.reader(io.StringIO(text), delimiter=separator)
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("by", ["recipe", "names"])
@pytest.mark.parametrize("seed", range(2))
def test_nothing_that_was_planted_is_left(run: Runner, rules: Rules, name: str, by: str, seed: int) -> None:
    who = person(seed)
    source = SOURCES[name](who)
    assert hits(who, source.data) or name == "body"
    assert leaks(who, _run(run, source, rules if by == "recipe" else None).folder) == []


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("by", ["recipe", "names"])
def test_every_measurement_stays_as_it_was_spelled(run: Runner, rules: Rules, name: str, by: str) -> None:
    who = person(3)
    source = SOURCES[name](who)
    done = _run(run, source, rules if by == "recipe" else None)
    found = _columns(done, source)
    for measured, values in source.values.items():
        if by == "recipe" or measured in found:
            assert found[measured] == values
    assert any(measured in found for measured in source.values)


TIMED = {
    "emg": ("Time", 1000),
    "reaction": ("측정일시", 1),
    "eeg": ("Time", 250),
    "ambulance": ("시각", 1),
    "wearable": ("ts", 1),
}


@pytest.mark.parametrize("name", TIMED)
def test_times_are_seconds_since_the_start_beside_the_shifted_day(run: Runner, rules: Rules, name: str) -> None:
    who = person(4)
    done = _run(run, SOURCES[name](who), rules)
    column, hertz = TIMED[name]
    found = _columns(done, SOURCES[name](who))
    assert [float(each) for each in found[column]] == pytest.approx([n / hertz for n in range(ROWS)], abs=1e-3)
    days = {dt.date.fromisoformat(each) for each in found[f"{column}_day"]}
    patient = done.outcome.patient
    assert len(days) == 1
    if patient == run.people.pseudonym(who.number):
        assert (days.pop() - who.start.date()).days == run.people.days(who.number)


def test_a_number_in_the_preamble_or_in_a_column_says_whose_it_is(run: Runner, rules: Rules) -> None:
    who = person(5)
    for name in ("emg", "gait", "reaction", "body", "cardiopulmonary", "cognitive", "wearable", "vitals", "ecg"):
        done = _run(run, SOURCES[name](who), rules)
        assert done.outcome.patient == run.people.pseudonym(who.number), name
        assert who.number in done.outcome.removed, name


def test_what_the_recipe_asks_for_is_done(run: Runner, rules: Rules) -> None:
    who = person(6)
    found = _columns(_run(run, SOURCES["ambulance"](who), rules), SOURCES["ambulance"](who))
    assert set(found["lat"]) == {"35.2"}
    assert len(set(found["장비번호"])) == 1
    assert found["AVPU"][9] is None
    body = _columns(_run(run, SOURCES["body"](who), rules), SOURCES["body"](who))
    assert set(body["나이"]) == {"60-69"}
    assert set(body) == {"등록번호", "측정일", "골격근량", "체지방률", "악력(kg)", "나이"}


def test_midnight_does_not_tell_the_hour_of_the_start(run: Runner) -> None:
    rows = [f"2024-03-12 23:59:{second:02},7" for second in range(50, 60)] + ["2024-03-13 00:00:00,7"]
    found = _columns(run(Csv(), "a.csv", "\n".join(["time,hr", *rows]).encode()), Source("a.csv", b""))
    assert found["time"] == [str(n) for n in range(11)]
    assert len(set(found["time_day"])) == 1
    apart = [f"2024-03-12,23:59:{second:02},7" for second in range(50, 60)] + ["2024-03-13,00:00:00,7"]
    found = _columns(run(Csv(), "b.csv", "\n".join(["date,time,hr", *apart]).encode()), Source("b.csv", b""))
    assert found["time"] == [str(n) for n in range(11)]
    assert len(set(found["date"])) == 1


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"foo,bar\n1,2\n", "signal.unknown-columns"),
        ("a.csv", b"1,2\n3,4\n", "signal.unknown-columns"),
        ("a.csv", b"time,patient\n1,2\n", "signal.unknown-columns"),
        ("a.csv", b"hr,time\n", "signal.unknown-columns"),
        ("a.txt", "홍길동 환자는 어제 입원하였다.\n연락처 없음\n".encode(), "signal.unknown-columns"),
        ("a.csv", b"hr,time\n" + b"1," * 9000 + b"\n", "signal.wide"),
        ("a.csv", b'hr,time\n"' + b"9" * 200_000, "signal.csv"),
        ("a.csv", b"hr\0time", "signal.binary"),
        ("a.json", b'{"hr": 1', "signal.json"),
        ("a.json", b'{"data":' + b"[" * 200_000, "signal.json"),
        ("a.json", b'{"data":' + b"[" * 60 + b"]" * 60 + b"}", "signal.json-depth"),
        ("a.json", b'{"foo": 1}', "signal.unknown-columns"),
        ("a.json", b'{"resourceType": "Bundle", "hr": 1}', "signal.fhir"),
        ("a.jsonl", b'{"hr": 1}\n{"hr"', "signal.json"),
        ("a.json", b'{"hr": ' + b"9" * 5000 + b"}", "signal.unknown-columns"),
    ],
    ids=range(15),
)
def test_what_is_not_known_or_not_whole_is_refused(run: Runner, name: str, data: bytes, code: str) -> None:
    assert run.refused(Json() if "json" in name else Csv(), name, data) == code


def test_a_long_number_in_a_measured_column_is_emptied(run: Runner) -> None:
    data = b"time,hr,event\n1,70,start\n2,01012345678,Kim\n3,9001011234567,stop\n4,12345678,w\n"
    found = _columns(run(Csv(), "a.csv", data), Source("a.csv", b""))
    assert found == {"time": ["1", "2", "3", "4"], "hr": ["70", "", "", ""], "event": ["start", "", "stop", "w"]}


@pytest.mark.parametrize(
    ("name", "is_kept"),
    [
        ("HeartRate (bpm)", True),
        ("심박수(bpm)", True),
        ("COP_X_mm", True),
        ("Vertical GRF (N)", True),
        ("Knee Flexion Angle (deg)", True),
        ("EMG_TA_L filtered 2", True),
        ("accX", True),
        ("heart rate (홍길동)", True),
        ("HR Hong", False),
        ("김철수 심박수", False),
        ("id", False),
        ("address", False),
        *(
            (name, False)
            for name in ("lat", "lon", "long", "lng", "latitude", "longitude", "alt", "위도", "경도", "gps x")
        ),
        ("passport no", False),
        ("", False),
    ],
)
def test_names_that_mean_the_same_everywhere_are_kept(run: Runner, name: str, is_kept: bool) -> None:
    found = _columns(run(Csv(), "a.csv", f"t,hr,{name}\n0,70,1.50\n1,71,2.50\n".encode()), Source("a.csv", b""))
    kept = name.replace(" (홍길동)", "")
    assert found.get(kept) == (["1.50", "2.50"] if is_kept else None)


def test_coordinates_under_names_that_do_not_say_so_are_dropped(run: Runner) -> None:
    done = run(Csv(), "a.csv", b"t,x,y,z\n0,126.851338,35.160234,1.5\n1,126.851339,35.160235,1.6\n")
    assert done.data == b"t,z\n0,1.5\n1,1.6\n"
    done = run(Csv(), "b.csv", b"t,x,y\n0,126.851338,-35.160234\n1,12.851339,35.160235\n")
    assert done.data.startswith(b"t,x,y\n0,126.851338")
    document = {"hr": 70, "points": [[126.851338, 35.160234], [1.5, 2.5]], "data": {"y": 35.160234, "x": 126.851338}}
    done = run(Json(), "a.json", json.dumps(document).encode())
    assert json.loads(done.data) == {"hr": 70, "points": [[], [1.5, 2.5]], "data": {}}


def test_two_plates_with_the_same_names_stay_two(run: Runner) -> None:
    done = run(Csv(), "a.csv", b"Time,Fx,Fy,Fx,Fy\n0,1,2,3,4\n1,5,6,7,8\n")
    assert done.data == b"Time,Fx,Fy,Fx,Fy\n0,1,2,3,4\n1,5,6,7,8\n"


def test_an_objects_own_number_is_its_patients(run: Runner) -> None:
    who = person(8)
    document = {"patient": {"id": who.number, "name": who.korean}, "records": [{"ts": who.day, "hr": 72}]}
    done = run(Json(), "a.json", json.dumps(document).encode())
    assert done.outcome.patient == run.people.pseudonym(who.number)
    assert {who.number, who.korean} <= done.outcome.removed
    assert leaks(who, done.folder) == []


@pytest.mark.parametrize(
    ("text", "day", "seconds"),
    [
        ("2024-03-12 14:03:05.5", "2024-03-12", 50585.5),
        ("2024-03-12T05:03:05.5Z", "2024-03-12", 50585.5),
        ("2024. 3. 12. 오후 2:03:05.5", "2024-03-12", 50585.5),
        ("2024년 3월 12일 14시 03분 05초", "2024-03-12", 50585),
        ("20240312140305", "2024-03-12", 50585),
        ("03/12/2024 2:03:05 PM", "2024-03-12", 50585),
        ("15/03/2024", "2024-03-15", 0),
        ("1710219785", "2024-03-12", 50585),
        ("1710219785500", "2024-03-12", 50585.5),
        ("1710219785500000", "2024-03-12", 50585.5),
        ("오후 2:03:05", None, 50585),
        ("14:03", None, 50580),
        ("12.75", None, None),
        ("2024-13-40", None, None),
        ("25:61:00", None, None),
    ],
)
def test_times_are_read_as_they_are_written(text: str, day: str | None, seconds: float | None) -> None:
    found = moment(text)
    if seconds is None:
        assert found is None
        return
    assert found is not None
    assert (day_of(found.micros).isoformat() if found.dated else None) == day
    local = found.micros + 9 * 3600 * 10**6 if found.dated else found.micros
    assert local % (86_400 * 10**6) == seconds * 10**6


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(SOURCES)), data=st.data())
def test_damage_never_brings_a_crash_nor_a_name(people, name, data) -> None:
    who = person(7)
    source = SOURCES[name](who)
    made = bytearray(source.data)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(made) - 1))
        made[place : place + 3] = data.draw(st.binary(min_size=1, max_size=6))
    form = Json() if source.name.endswith(("json", "jsonl")) else Csv()
    try:
        out = b"".join(form.clean(bytes(made), Context(people, None, source.name)).pieces)
    except Refused:
        return
    assert [kind for kind in hits(who, out) if kind in {"korean", "latin", "number", "phone", "note", "resident"}] == []


@pytest.mark.parametrize(
    "text",
    [
        "streams: {a: {has: [], columns: {number: [x]}}}",
        "streams: {a: {columns: {number: [x]}}}",
        "streams: {a: {has: [x], columns: {lat: {coarse: 4}}}}",
        "streams: {a: {has: [x], columns: {coarse: [lat]}}}",
        "streams: {a: {has: [x], columns: {lat: {coarse: 1, band: 2}}}}",
        "record_number: '(a+)+'",
        "record_number: '('",
        "surprise: true",
    ],
)
def test_a_recipe_that_cannot_be_followed_says_where(text: str) -> None:
    with pytest.raises(RecipeError):
        parse_signal(read(Path("r.yaml"), text.encode()))
