"""The portal's intake at the real gate socket and spool, and its search of shown texts in sealed children."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from audit.tables import audit_entry
from enclave import clock
from enclave.airlock import shown
from enclave.airlock.checks.identifiers import LABELS, LOOK_AT
from enclave.airlock.sealing.pool import SealedFailure, SealedPool
from enclave.airlock.shown import Shown
from enclave.commands import watch
from enclave.gate.spool import Spool
from enclave.model.watch import DisplayFinding, DisplayText, ExecutedCode
from enclave.portal import intake, searching
from enclave.queries import watch as queries
from tests.enclave import airlock
from tests.enclave.portal.test_inner_apis import GateOf
from tests.enclave.portal.world import World

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the gate runs as root")
PHONES = "이름  전화번호  나이\n홍길동  010-1234-5678  30\n김철수  010-2222-3333  41\n이영희  010-7777-1111  52\n"


@pytest.fixture
def gate(world: World) -> Iterator[Spool]:
    """The spool behind a running gate."""
    made = GateOf(world.settings)
    yield made.spool
    made.stop()


def entries(world: World) -> list[dict[str, object]]:
    with world.store.read() as rows:
        found = rows.connection().execute(select(audit_entry.c.bytes).order_by(audit_entry.c.position)).scalars()
        return [json.loads(data) for data in found]


def actions(world: World, *names: str) -> list[str]:
    return [str(entry["action"]) for entry in entries(world) if entry["action"] in names]


def count(world: World, table: type) -> int:
    with world.store.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_events_are_recorded_and_then_the_gate_forgets_them(world: World, gate: Spool) -> None:
    place = world.workspace()
    gate.put(place, "code", {"source": "execute"}, b"1 + 1")
    gate.put(place, "route-refused", {"why": "download", "route": "files"})
    assert intake.take_events(world.portal) == 2
    assert gate.events() == []
    assert actions(world, "code.executed", "route.refused") == ["code.executed", "route.refused"]


def test_a_portal_that_died_between_recording_and_settling_repeats_nothing(world: World, gate: Spool) -> None:
    gate.put(world.workspace(), "code", {}, b"1 + 1")
    watch.take(world.store, world.portal.vault, events=world.portal.gate.events(), now=clock.now())
    assert intake.take_events(world.portal) == 1
    assert (actions(world, "code.executed"), count(world, ExecutedCode)) == (["code.executed"], 1)


def test_without_the_database_nothing_is_settled(world: World, gate: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    from enclave.errors import Unavailable

    gate.put(world.workspace(), "code", {}, b"1 + 1")
    gone = Unavailable("store.locked", ko="잠김", en="locked")
    monkeypatch.setattr(watch, "take", lambda *_, **__: (_ for _ in ()).throw(gone))
    with pytest.raises(Unavailable):
        intake.take_events(world.portal)
    assert len(gate.events()) == 1


def test_shown_output_waits_a_little_for_more_and_anything_else_does_not(
    world: World, gate: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = world.workspace()
    for _ in range(3):
        gate.put(place, "display", {"mime": "text/plain", "bytes": 3}, b"3.5")
    assert intake.take_events(world.portal) == 0
    gate.put(place, "code", {}, b"1 + 1")
    assert intake.take_events(world.portal) == 4
    assert actions(world, "display.shown") == ["display.shown"]
    gate.put(place, "display", {"mime": "text/plain", "bytes": 3}, b"3.5")
    monkeypatch.setattr(intake, "PATIENCE", timedelta(0))
    assert intake.take_events(world.portal) == 1


def test_an_event_that_breaks_its_batch_is_buried_and_the_others_are_recorded(
    world: World, gate: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = world.workspace()
    gate.put(place, "code", {}, b"1 + 1")
    sick = gate.put(place, "code", {}, b"2 + 2")
    gate.put(place, "locked", {})
    whole = watch._code

    def breaks(vault: object, event: object, at: object) -> object:
        if event.id == sick:  # type: ignore[attr-defined]
            raise ValueError("as expected")
        return whole(vault, event, at)  # type: ignore[arg-type]

    monkeypatch.setattr(watch, "_code", breaks)
    assert intake.take_events(world.portal) == 3
    assert actions(world, "code.executed", "gate.event", "screen.locked") == [
        "code.executed",
        "gate.event",
        "screen.locked",
    ]
    assert gate.events() == []


def test_a_gate_that_is_away_is_no_failure(world: World) -> None:
    assert intake.take_events(world.portal) == 0


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for more."""
    monkeypatch.setattr(intake, "PATIENCE", timedelta(0))
    monkeypatch.setattr(queries, "PATIENCE", timedelta(0))


@pytest.mark.usefixtures("soon")
def test_identifiers_on_the_screen_are_found_and_their_text_does_not_stay(world: World, gate: Spool) -> None:
    place = world.workspace()
    gate.put(place, "display", {"mime": "text/plain", "bytes": 200, "rows": 3}, PHONES.encode())
    gate.put(place, "display", {"mime": "text/html,text/plain", "bytes": 50}, b"<td title='a@example.co.kr'>3</td>")
    gate.put(place, "display", {"mime": "text/plain", "bytes": 20}, "평균 3.5, 2020-01-01".encode())
    intake.take_events(world.portal)
    assert searching.search_shown(world.portal) == 3
    with world.store.read() as session:
        kinds = session.scalars(select(DisplayFinding.kinds).order_by(DisplayFinding.event_id)).all()
    assert kinds == ["NAME:3 PHONE:3", "EMAIL:1"]
    assert count(world, DisplayText) == 0
    assert actions(world, "display.searched", "display.finding") == [
        "display.searched",
        "display.finding",
        "display.finding",
    ]
    assert searching.search_shown(world.portal) == 0
    database = b"".join(path.read_bytes() for path in world.settings.db.iterdir())
    for value in ("010-1234-5678", "홍길동", "a@example.co.kr"):
        assert value.encode() not in database


@pytest.mark.usefixtures("soon")
def test_one_text_that_breaks_the_search_hides_no_other(
    world: World, gate: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = world.workspace()
    gate.put(place, "display", {"mime": "text/plain", "bytes": 200}, PHONES.encode())
    gate.put(place, "display", {"mime": "text/plain", "bytes": 5}, b"break")
    intake.take_events(world.portal)
    whole = shown.search

    def breaks(texts: list[Shown], **more: float) -> object:
        if any(each.text == "break" for each in texts):
            raise SealedFailure("as expected")
        return whole(texts, **more)

    monkeypatch.setattr(shown, "search", breaks)
    searching.search_shown(world.portal)
    assert actions(world, "display.finding", "display.unsearched") == ["display.finding", "display.unsearched"]


ANSWERS = {
    "nothing": {},
    "one too few": [],
    "an unknown kind": [{"counts": {"HONG-GILDONG": 1}, "samples": []}],
    "a value for a sample": [{"counts": {"PHONE": 1}, "samples": [["PHONE", "010-1234-5678"]]}],
    "a text for a count": [{"counts": {"PHONE": "3"}, "samples": []}],
    "a negative count": [{"counts": {"PHONE": -1}, "samples": []}],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_child_that_was_taken_over_brings_no_value_out(name: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        shown._read(ANSWERS[name], 1)


def test_a_child_that_fails_has_searched_nothing() -> None:
    pool = SealedPool("lying_worker", folder=Path(airlock.__file__).parent)
    try:
        with pytest.raises(SealedFailure):
            shown.search([Shown("text/plain", PHONES)], pool=pool)
    finally:
        pool.close()


def test_the_kinds_a_finding_may_name_are_those_that_stop_a_file() -> None:
    assert set(LABELS) - LOOK_AT == shown.KINDS
