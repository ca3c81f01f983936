"""Events: checked when they are made, turned into bytes that hold what is there and nothing else."""

from __future__ import annotations

import dataclasses
import unicodedata

import pytest

from audit.canonical import MAX_ENTRY_BYTES, decode
from audit.errors import EntryError
from audit.event import Event, Subjects

WHEN = {"entry_id": "0" * 26, "at": "2026-11-21T01:02:03.123456Z", "observer": "portal-1"}


def test_a_full_event_becomes_the_documented_record() -> None:
    event = Event(
        action="thing.approve",
        outcome="allowed",
        actor_id="u-0193",
        actor_role="output_checker",
        from_ip="10.20.3.41",
        session="s-88213",
        object_kind="egress_request",
        object_id="E-2291",
        object_sha256="ab" * 32,
        project="P2026-014",
        reason_code="output.checked",
        reason_text="최소빈도 10 충족",
        rule="egress/v3",
        subjects=Subjects(12031, "pseudonymised"),
        details={"files": 2, "final": True, "name": "표1.csv"},
    )
    assert decode(event.entry(**WHEN)) == {
        "action": "thing.approve",
        "actor": {"id": "u-0193", "role": "output_checker"},
        "at": WHEN["at"],
        "details": {"files": 2, "final": True, "name": "표1.csv"},
        "from": {"ip": "10.20.3.41", "session": "s-88213"},
        "id": WHEN["entry_id"],
        "object": {"id": "E-2291", "kind": "egress_request", "sha256": "ab" * 32},
        "observer": "portal-1",
        "outcome": "allowed",
        "project": "P2026-014",
        "reason": {"code": "output.checked", "text": "최소빈도 10 충족"},
        "rule": "egress/v3",
        "subjects": {"count": 12031, "kind": "pseudonymised"},
        "v": 1,
    }


def test_what_is_absent_or_empty_leaves_no_trace_but_false_and_zero_stay() -> None:
    event = Event("log.in", "denied", "u-1", project="", session=None, details={"no": False, "zero": 0, "none": ""})
    assert decode(event.entry(**WHEN)) == {
        "action": "log.in",
        "actor": {"id": "u-1"},
        "at": WHEN["at"],
        "details": {"no": False, "none": "", "zero": 0},
        "id": WHEN["entry_id"],
        "observer": "portal-1",
        "outcome": "denied",
        "v": 1,
    }


def test_text_typed_in_decomposed_form_is_recorded_in_nfc() -> None:
    typed = unicodedata.normalize("NFD", "한글")
    event = Event("a.b", "done", "u", reason_text=typed, details={"x": typed}, subjects=Subjects(1, typed))
    assert typed.encode() not in event.entry(**WHEN)
    assert event.entry(**WHEN).count("한글".encode()) == 3


GOOD = Event("a.b", "done", "u-1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", "approve"),
        ("action", "Egress.approve"),
        ("action", "egress."),
        ("action", "a." + "b" * 63),
        ("action", None),
        ("action", 5),
        ("outcome", "ok"),
        ("actor_id", ""),
        ("actor_id", None),
        ("from_ip", 5),
        ("object_sha256", "AB" * 32),
        ("object_sha256", "ab"),
        ("subjects", Subjects(-1, "identified")),
        ("subjects", Subjects(True, "identified")),
        ("subjects", Subjects(2**53, "identified")),
        ("subjects", Subjects(1, "")),
        ("details", {"Big": 1}),
        ("details", {1: 1}),
        ("details", {"x": 1.5}),
        ("details", {"x": None}),
        ("details", {"x": {"y": 1}}),
        ("details", {"x": 2**53}),
    ],
    ids=repr,
)
def test_a_field_of_the_wrong_form_is_refused_by_name(field, value) -> None:
    with pytest.raises(EntryError) as caught:
        dataclasses.replace(GOOD, **{field: value})
    assert caught.value.code == "audit.event-field"
    assert field in caught.value.ko
    assert field in caught.value.en


def test_an_entry_of_exactly_the_limit_passes_and_one_byte_more_is_refused() -> None:
    bare = len(dataclasses.replace(GOOD, reason_text="x").entry(**WHEN)) - 1
    largest = dataclasses.replace(GOOD, reason_text="x" * (MAX_ENTRY_BYTES - bare))
    assert len(largest.entry(**WHEN)) == MAX_ENTRY_BYTES
    with pytest.raises(EntryError) as caught:
        dataclasses.replace(GOOD, reason_text="x" * (MAX_ENTRY_BYTES - bare + 1)).entry(**WHEN)
    assert caught.value.code == "audit.entry-too-large"
