"""Incidents: the clock from the discovery, who may do what, two people at the end, and the report's text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import freeze, release
from enclave.commands import incident as commands
from enclave.commands.acting import intent
from enclave.commands.incident import Known
from enclave.errors import Conflict, Denied, EnclaveError, Invalid, NotFound
from enclave.model.incident import IncidentKind
from enclave.model.release import Release
from enclave.queries import incident as queries
from enclave.reports import incident as report
from enclave.states import IncidentState
from tests.enclave.scene import CAST, NOW, Scene

HOUR = timedelta(hours=1)
WORDS = "화면을 찍은 사진이 메신저에 올라왔다고 합니다"
FULL = Known(
    items="연령대, 진료과, 내원일",
    circumstances=WORDS,
    advice="의심스러운 연락에 답하지 않기",
    response="과제 동결, 사진 삭제 요청",
    contact="정보보호팀 02-000-0000",
    subjects=1200,
)


def opened(scene: Scene, login: str = "scientist", known: Known = FULL, **fields) -> str:
    actor = Actor.console() if login == "console" else scene.actor(login)
    values = {"kind": IncidentKind.LEAK, "discovered_at": NOW - HOUR, "project_id": None} | fields
    return commands.open_incident(scene.store, actor, known=known, now=NOW, **values).id


def code_of(act) -> str:
    with pytest.raises(EnclaveError) as caught:
        act()
    return caught.value.code


def test_anybody_who_works_here_may_open_one_and_nobody_else(scene: Scene) -> None:
    for login in CAST:
        if login == "nobody":
            assert code_of(lambda: opened(scene, "nobody")) == "role.missing"
        else:
            assert opened(scene, login)


def test_the_clock_runs_from_the_discovery(scene: Scene) -> None:
    name = opened(scene, discovered_at=NOW - 70 * HOUR)
    look = scene.actor("operator")
    for later, left, late in ((0, 2, False), (1.5, 0, False), (2.1, -1, True)):
        view = queries.incident(scene.store, look, name, now=NOW + later * HOUR)
        assert (view.hours_left, view.late) == (left, late)
    assert view.due_at == NOW + 2 * HOUR
    assert queries.waiting(scene.store, look, now=NOW)[1] == 2
    assert queries.waiting(scene.store, scene.actor("scientist"), now=NOW) == (0, 0)


def test_an_incident_that_is_late_is_recorded_once_and_by_the_service_alone(scene: Scene) -> None:
    name = opened(scene, discovered_at=NOW - 72 * HOUR)
    assert name in queries.late(scene.store, now=NOW)
    assert code_of(lambda: commands.note_late(scene.store, scene.actor("operator"), incident_id=name, now=NOW))
    commands.note_late(scene.store, Actor.system(), incident_id=name, now=NOW)
    entry = scene.entries()[-1]
    assert (entry["action"], entry["object"]["id"]) == ("incident.late", name)
    assert name not in queries.late(scene.store, now=NOW)
    again = lambda: commands.note_late(scene.store, Actor.system(), incident_id=name, now=NOW)  # noqa: E731
    assert code_of(again) == "incident.not-late"


def test_it_cannot_be_discovered_tomorrow_nor_without_a_word_nor_of_no_project(scene: Scene) -> None:
    with pytest.raises(Invalid, match="알게 된 시각이 지금보다 뒤"):
        opened(scene, discovered_at=NOW + HOUR)
    with pytest.raises(Invalid, match="시점과 경위"):
        opened(scene, known=Known(circumstances="  "))
    with pytest.raises(NotFound):
        opened(scene, project_id="P-none")


def test_what_is_known_grows_and_nothing_said_is_lost(scene: Scene) -> None:
    name = opened(scene, known=Known(circumstances=WORDS))
    steward = scene.actor("steward-a")
    view = queries.incident(scene.store, steward, name, now=NOW)
    assert view.missing == ("items", "advice", "response", "contact")
    with pytest.raises(Conflict, match="담당부서와 연락처"):
        commands.file_report(scene.store, steward, incident_id=name, receipt="R-1", now=NOW)
    view = commands.revise(scene.store, steward, incident_id=name, known=FULL, now=NOW)
    assert (view.missing, [each.number for each in view.accounts]) == ((), [2, 1])
    for change in ("UPDATE incident_account SET items = ''", "DELETE FROM incident_account"):
        with (
            pytest.raises((DatabaseError, Conflict)) as refused,
            scene.store.write(intent(Action.INCIDENT_REVISE, steward, ("incident", name))) as tx,
        ):
            tx.session.execute(text(change))
        assert "cannot be changed or removed" in f"{refused.value} {refused.value.__cause__}"


def test_it_is_reported_and_then_closed_by_somebody_else(scene: Scene) -> None:
    name = opened(scene)
    operator, now = scene.actor("operator"), NOW + 10 * HOUR
    view = commands.file_report(scene.store, operator, incident_id=name, receipt="PIPC-2026-17", now=now)
    assert (view.state, view.receipt, view.hours_left) == (IncidentState.FILED, "PIPC-2026-17", None)
    entry = scene.entries()[-1]
    assert (entry["details"]["hours_left"], entry["object"]["sha256"]) == (61, view.report_sha256)
    end = {"incident_id": name, "reason": "조치 완료", "now": now}
    assert code_of(lambda: commands.close(scene.store, operator, **end)) == "incident.two-person"
    assert commands.close(scene.store, scene.actor("reviewer"), **end).state is IncidentState.CLOSED
    revise = {"incident_id": name, "known": FULL, "now": now}
    assert code_of(lambda: commands.revise(scene.store, operator, **revise)) == "incident.over"


def test_who_opened_one_cannot_say_that_it_was_none(scene: Scene) -> None:
    name = opened(scene, "steward-a")
    end = {"incident_id": name, "reason": "오인", "now": NOW}
    assert code_of(lambda: commands.dismiss(scene.store, scene.actor("steward-a"), **end)) == "incident.two-person"
    commands.dismiss(scene.store, scene.actor("reviewer"), **end)
    commands.reopen(scene.store, scene.actor("operator"), **end)
    view = queries.incident(scene.store, scene.actor("auditor"), name, now=NOW)
    assert (view.state, view.hours_left, view.may) == (IncidentState.OPEN, 71, frozenset())
    mine = opened(scene, "console")
    assert code_of(lambda: commands.dismiss(scene.store, Actor.console(), **(end | {"incident_id": mine})))


@pytest.mark.parametrize("login", ["scientist", "lead", "checker-a", "auditor", "owner"])
def test_those_who_do_not_handle_incidents_cannot_move_them(scene: Scene, login: str) -> None:
    name, actor = opened(scene, "steward-b"), scene.actor(login)
    acts = (
        lambda: commands.revise(scene.store, actor, incident_id=name, known=FULL, now=NOW),
        lambda: commands.file_report(scene.store, actor, incident_id=name, receipt="x", now=NOW),
        lambda: commands.close(scene.store, actor, incident_id=name, reason="x", now=NOW),
        lambda: commands.dismiss(scene.store, actor, incident_id=name, reason="x", now=NOW),
    )
    for act in acts:
        with pytest.raises(Denied):
            act()
    if login != "auditor":
        with pytest.raises(Denied):
            queries.incident(scene.store, actor, name, now=NOW)
        assert name not in {each.id for each in queries.incidents(scene.store, actor, now=NOW)}
        own = opened(scene, login)
        assert queries.incident(scene.store, actor, own, now=NOW).id == own


def test_the_exports_of_its_project_are_listed_and_the_report_says_all_that_the_law_asks(scene: Scene) -> None:
    made = scene.active()
    wish = scene.approved_request(made)
    with scene.store.read() as session:
        release_id = session.scalars(select(Release.id).where(Release.request_id == wish)).one()
    release.build(scene.store, scene.depot, release_id=release_id, now=NOW)
    name = opened(scene, project_id=made)
    freeze.freeze_project(scene.store, scene.actor("lead"), project_id=made, reason="사고", now=NOW)
    view = queries.incident(scene.store, scene.actor("operator"), name, now=NOW)
    assert view.frozen
    assert [each.release_id for each in view.exports] == [release_id]
    said = report.text(queries.facts_of_report(scene.store, scene.actor("operator"), name))
    for part in (FULL.items, WORDS, FULL.advice, FULL.response, FULL.contact, "1,200명", release_id, made):
        assert part in said
    assert "2026-11-27 11:00 (KST)" in said
    assert "모든 작업공간을 동결함" in said


def test_what_is_not_known_is_said_so_in_the_report(scene: Scene) -> None:
    name = opened(scene, known=Known(circumstances=WORDS), kind=IncidentKind.POSSIBLE)
    facts = queries.facts_of_report(scene.store, scene.actor("operator"), name)
    said = report.text(facts)
    assert said.startswith("개인정보 유출등의 가능성 신고서")
    assert said.count(report.UNKNOWN) == 5
    assert "동결하지 않음" in report.text(replace(facts, project="P"))


def test_no_word_of_anybody_enters_the_log(scene: Scene) -> None:
    at = scene.position()
    name = opened(scene, known=FULL)
    commands.file_report(scene.store, scene.actor("operator"), incident_id=name, receipt="김수한무-1", now=NOW)
    commands.close(scene.store, scene.actor("reviewer"), incident_id=name, reason="김수한무", now=NOW)
    logged = str(scene.entries(at))
    for word in (WORDS, "김수한무", FULL.items, FULL.contact):
        assert word not in logged
