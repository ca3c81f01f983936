"""HL7 annotated ECG: an allow-list, relative times, samples as they were; hostile XML is refused."""

from __future__ import annotations

import datetime as dt
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deid.folder.format import Context, Refused
from deid.signal.aecg import Aecg
from tests.deid.signal.make_aecg import SAMPLES, aecg
from tests.deid.signal.planted import hits, leaks, person
from tests.deid.signal.running import Runner

V3 = "{urn:hl7-org:v3}"


@pytest.mark.parametrize("encoding", ["utf-8", "euc-kr", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_was_planted_is_left(run: Runner, encoding: str, seed: int) -> None:
    who = person(seed)
    made = aecg(who, encoding=encoding)
    assert encoding != "utf-8" or len(hits(who, made)) > 10
    assert leaks(who, run(Aecg(), f"{who.number}.xml", made).folder) == []


def test_samples_and_scales_stay_and_codes_of_known_systems(run: Runner) -> None:
    root = ET.fromstring(run(Aecg(), "a.xml", aecg(person(4), encoding="euc-kr")).data)
    found = {}
    for sequence in root.iter(f"{V3}sequence"):
        digits = sequence.find(f".//{V3}digits")
        if digits is not None:
            found[sequence.find(f"{V3}code").get("code")] = [int(each) for each in digits.text.split()]
            assert sequence.find(f".//{V3}scale").attrib == {"value": "2.5", "unit": "uV"}
    assert found == {f"MDC_ECG_LEAD_{lead}": values for lead, values in SAMPLES.items()}
    values = [each for each in root.iter(f"{V3}annotation") if each.find(f"{V3}value") is not None]
    assert [each.find(f"{V3}value").get("value") for each in values] == [None, "72", None]
    assert [(each.find(f"{V3}value").text or "").strip() for each in values] == ["", "", "sinus rhythm"]


def test_times_keep_their_distances_from_midnight_of_the_shifted_day(run: Runner) -> None:
    who = person(5)
    done = run(Aecg(), "a.xml", aecg(who))
    root = ET.fromstring(done.data)
    day = who.start.date() + dt.timedelta(days=run.people.days(who.number))
    assert root.find(f".//{V3}head").get("value") == f"{day:%Y%m%d}000000.000"
    boundary = root.find(f".//{V3}boundary/{V3}value")
    assert [each.get("value") for each in boundary] == [f"{day:%Y%m%d}000000.050", f"{day:%Y%m%d}000000.250"]
    assert done.outcome.patient == run.people.pseudonym(who.number)
    assert root.find(f".//{V3}trialSubject/{V3}id").get("extension") == done.outcome.patient


@pytest.mark.parametrize("beside", ["&#10;", "&#9;", "&#13;", "&quot;", "'", "&lt;", "&amp;", "&amp;#10;", "&#160;"])
def test_no_attribute_is_kept_with_white_space_or_a_sign_of_xml_in_it(run: Runner, beside: str) -> None:
    kept = {"bpm", "72", "MDC_ECG_HEART_RATE"}
    made = aecg(person(6)).decode()
    for value in kept:
        made = made.replace(f'"{value}"', f'"{value}{beside}"')
    root = ET.fromstring(run(Aecg(), "a.xml", made.encode()).data)
    written = {value for each in root.iter() for value in each.attrib.values()}
    assert not [value for value in written for one in kept if value.startswith(one)]
    assert "uV" in written


BOMB = "<!DOCTYPE a [" + '<!ENTITY a "ha">' + "".join(f'<!ENTITY b{n} "&a;&a;">' for n in range(9)) + "]>"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (aecg(person(6), head=BOMB), "signal.xml-dtd"),
        (aecg(person(6), head='<!DOCTYPE AnnotatedECG SYSTEM "file:///etc/passwd">'), "signal.xml-dtd"),
        (aecg(person(6))[:-30], "signal.xml"),
        (aecg(person(6)).replace(b"<text>", b"<a>" * 5000), "signal.xml-size"),
        (aecg(person(6)).replace(b'encoding="utf-8"', b'encoding="utf-7"'), "signal.xml-encoding"),
        (aecg(person(6)).replace(b"0 12 -7", "0 홍길동 -7".encode()), "signal.samples"),
        (b"<AnnotatedECG></AnnotatedECG><AnnotatedECG/>", "signal.xml"),
        (b"<x><AnnotatedECG></AnnotatedECG></x>", "signal.aecg"),
        (b"<AnnotatedECG>\xff</AnnotatedECG>", "signal.xml-encoding"),
    ],
    ids=range(9),
)
def test_hostile_documents_are_refused(run: Runner, data: bytes, code: str) -> None:
    assert run.refused(Aecg(), "a.xml", data) == code


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_never_brings_a_crash_nor_a_name(people, data) -> None:
    who = person(7)
    made = bytearray(aecg(who))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(made) - 1))
        made[place : place + 2] = data.draw(st.binary(min_size=1, max_size=6))
    try:
        out = b"".join(Aecg().clean(bytes(made), Context(people, None, "a.xml")).pieces)
    except Refused:
        return
    assert [kind for kind in hits(who, out) if kind in {"korean", "latin", "number", "phone", "note", "birth"}] == []
