"""No entry holds a name, a free text or an identifier of a person: its form, and what is sent in an id's place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audit.event import Event
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import egress, workspace
from enclave.commands.acting import ID, intent, name_in_log
from enclave.errors import EnclaveError
from tests.enclave.scene import NOW, Scene
from tests.entry_form import faults

GOOD = Event(
    "egress.submit",
    "denied",
    "u-193",
    actor_role="scientist,project_lead",
    from_ip="10.20.3.41",
    session="s-88213",
    object_kind="egress_request",
    object_id="e-it6yp23lzazi52j5",
    object_sha256="a" * 64,
    project="p-nc5qrwpbllfxshdm",
    reason_code="egress.two-person",
    rule="egress/v3@sha256:abc",
    details={"at": "2026-11-24", "image": "sha256:aaaa", "files": 3, "levels": "low/low", "packages": ""},
)
LEAKS: dict[str, dict[str, Any]] = {
    "a name": {"details": {"who": "홍길동"}},
    "a name in an id": {"object_id": "김수한무"},
    "a sentence": {"details": {"why": "patient asked for it"}},
    "a reason in words": {"reason_text": "연구 목적"},
    "a reason in one word": {"reason_text": "research"},
    "a resident number": {"object_id": "900101-1234568"},
    "a phone number": {"details": {"call": "010-1234-5678"}},
    "an address of mail": {"details": {"to": "hong@hospital.kr"}},
    "a path with a name": {"details": {"path": "/home/김수한무.csv"}},
}


def record(**changes: object) -> dict[str, Any]:
    given = {name: getattr(GOOD, name) for name in GOOD.__slots__} | changes
    # Not `Event.entry`: in this suite it refuses by itself.
    made: dict[str, Any] = Event(**given).record(entry_id="0" * 26, at="2026-11-24T03:00:00.000000Z", observer="test")
    return made


def test_an_entry_as_it_should_be_has_no_fault() -> None:
    assert faults(record()) == []


@pytest.mark.parametrize("leak", LEAKS)
def test_the_form_does_not_let_through(leak: str) -> None:
    assert faults(record(**LEAKS[leak])) != []


def test_the_form_has_no_room_for_another_field() -> None:
    assert faults(record() | {"note": 1}) == ["field note"]
    assert faults(record() | {"actor": {"id": "u-1", "birthday": 1}}) == ["field actor.birthday"]


def test_every_entry_of_this_suite_is_held_to_the_form() -> None:
    event = Event(Action.EGRESS_VIEW.value, "done", "u-1", details={"who": "홍길동"})
    with pytest.raises(AssertionError, match=r"egress\.view: details\.who"):
        event.entry(entry_id="0" * 26, at="2026-11-24T03:00:00.000000Z", observer="test")


IDS = {
    "e-it6yp23lzazi52j5": True,
    "set-a": True,
    "ansim.localhost/log": True,
    "GPU-00000001-0000-0000-0000-000000000000": True,
    "a" * 64: True,
    "01JD5V3W8T0M2Z9Q4R6S8N1P3K": True,
    "any": True,
    "": True,
    "900101-1234568": False,
    "01012345678": False,
    "p-900101-1234568": False,
    "u01012345678": False,
    "call:010-1234-5678": False,
    "홍길동": False,
    "hong@hospital.kr": False,
    "e-1 or 1=1": False,
    "e-1\n": False,
    "x" * 500: False,
}


@pytest.mark.parametrize("given", IDS, ids=ascii)
def test_what_is_sent_as_an_id_stands_in_the_log_only_if_it_can_be_one(given: str) -> None:
    named = name_in_log(given)
    assert (named == given) is IDS[given]
    assert named == "" or ID.fullmatch(named)
    assert intent(Action.EGRESS_VIEW, Actor.system(), ("egress_request", given), project=given).project == named


@pytest.mark.parametrize("typed", ["900101-1234568", "홍길동 010-1234-5678"])
def test_an_address_with_a_person_in_it_is_refused_without_writing_the_person_down(shared: Scene, typed: str) -> None:
    actor = shared.actor("scientist")
    with shared.new_entries() as entries:
        with pytest.raises(EnclaveError):
            egress.withdraw(shared.store, actor, request_id=typed, now=NOW)
        with pytest.raises(EnclaveError):
            workspace.request_start(shared.store, shared.means, actor, project_id=typed, now=NOW)
    assert [entry["outcome"] for entry in entries] in (["failed", "failed"], ["failed", "denied"], ["denied", "denied"])
    assert typed not in json.dumps(entries, ensure_ascii=False)
