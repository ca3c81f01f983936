"""Incidents: one form that starts the clock and may freeze the project, and a page each until it is closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from enclave.clock import KST
from enclave.commands import freeze
from enclave.commands import incident as commands
from enclave.commands.incident import Known
from enclave.errors import EnclaveError, Invalid
from enclave.model.incident import IncidentKind
from enclave.policy.incident import ITEMS
from enclave.portal import closing
from enclave.portal.acting import actor_of, done, one_of, tried, typed
from enclave.portal.forms import Form
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import incident as queries
from enclave.queries import project
from enclave.reports import incident as report

router = APIRouter()
FIELDS = tuple(field for field, *_ in ITEMS)
ENDS = {"close": commands.close, "dismiss": commands.dismiss, "reopen": commands.reopen}


@router.get("/incidents")
def incidents(visit: Here) -> Response:
    """Show the form and the incidents the visitor may see."""
    return show(visit)


@router.post("/incidents")
def open_incident(visit: Here, form: OwnForm) -> Response:
    """Open an incident; with the box ticked its project is frozen first, for that must not wait."""

    def act() -> str:
        store, actor = visit.portal.store, actor_of(visit)
        kind, discovered_at = one_of(IncidentKind, form.text("kind")), _moment(form)
        known, project_id = _known(form), form.text("project")
        if form.text("freeze") and project_id:
            stop_project(visit, project_id, form.text("circumstances"))
        made = commands.open_incident(
            store,
            actor,
            kind=kind,
            discovered_at=discovered_at,
            project_id=project_id or None,
            known=known,
            now=visit.now,
        )
        return f"/incidents/{made.id}"

    return tried(lambda: done(visit, form, act, "incidents.opened"), lambda error: show(visit, form, error))


@router.get("/incidents/{incident_id}")
def incident(visit: Here, incident_id: str) -> Response:
    """Show one incident."""
    return show_one(visit, incident_id)


@router.get("/incidents/{incident_id}/report.txt")
def report_text(visit: Here, incident_id: str) -> Response:
    """Hand out the report to the authority as it would be now."""
    facts = queries.facts_of_report(visit.portal.store, actor_of(visit), incident_id)
    headers = {"Content-Disposition": f'attachment; filename="incident-{facts.id}.txt"'}
    return PlainTextResponse(report.text(facts), headers=headers)


@router.post("/incidents/{incident_id}/revise")
def revise(visit: Here, form: OwnForm, incident_id: str) -> Response:
    """Say anew what is known."""

    def act() -> None:
        known = _known(form)
        commands.revise(visit.portal.store, actor_of(visit), incident_id=incident_id, known=known, now=visit.now)

    return _on_one(visit, form, incident_id, act, "incidents.revised")


@router.post("/incidents/{incident_id}/file")
def file_report(visit: Here, form: OwnForm, incident_id: str) -> Response:
    """Record that the authority was told."""

    def act() -> None:
        receipt = form.text("receipt")
        commands.file_report(
            visit.portal.store, actor_of(visit), incident_id=incident_id, receipt=receipt, now=visit.now
        )

    return _on_one(visit, form, incident_id, act, "incidents.filed")


@router.post("/incidents/{incident_id}/freeze")
def freeze_project(visit: Here, form: OwnForm, incident_id: str) -> Response:
    """Freeze the project that an incident is about."""

    def act() -> None:
        found = queries.incident(visit.portal.store, actor_of(visit), incident_id, now=visit.now)
        stop_project(visit, found.project_id, form.text("reason"))

    return _on_one(visit, form, incident_id, act, "incidents.frozen_now")


@router.post("/incidents/{incident_id}/{verb}")
def end(visit: Here, form: OwnForm, incident_id: str, verb: str) -> Response:
    """Close, dismiss or reopen an incident."""

    def act() -> None:
        command = ENDS.get(verb, commands.close)
        command(visit.portal.store, actor_of(visit), incident_id=incident_id, reason=form.text("reason"), now=visit.now)

    return _on_one(visit, form, incident_id, act, "incidents.decided")


def stop_project(visit: Visit, project_id: str, reason: str) -> None:
    """Freeze a project and stop what runs at the gate; one that is frozen already stays so."""
    running = closing.open_in(visit.portal, project_id)
    try:
        freeze.freeze_project(visit.portal.store, actor_of(visit), project_id=project_id, reason=reason, now=visit.now)
    except EnclaveError as error:
        if error.code != "ends.frozen-already":
            raise
    closing.stop(visit.portal, running)


def show(visit: Visit, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return the list and the form, with what was typed."""
    store, actor = visit.portal.store, actor_of(visit)
    start = {"discovered": f"{visit.now.astimezone(KST):%Y-%m-%dT%H:%M}"}
    return visit.page(
        "incidents.html",
        here="incidents",
        status=error.status if error else 200,
        error=error,
        typed=typed(form, start),
        kinds=[(kind.value, visit.say(f"incidents.kind_{kind.value}")) for kind in IncidentKind],
        projects=[(each.id, f"{each.title or each.id}") for each in project.mine(store, actor, now=visit.now)],
        incidents=queries.incidents(store, actor, now=visit.now),
    )


def show_one(visit: Visit, incident_id: str, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return the page of one incident."""
    found = queries.incident(visit.portal.store, actor_of(visit), incident_id, now=visit.now)
    facts = queries.facts_of_report(visit.portal.store, actor_of(visit), incident_id)
    newest = found.accounts[0]
    known = {field: getattr(newest, field) for field in (*FIELDS, "subjects")}
    return visit.page(
        "incident.html",
        here="incidents",
        status=error.status if error else 200,
        error=error,
        typed=typed(form, known),
        incident=found,
        report=report.text(facts),
        kind=visit.say(f"incidents.kind_{found.kind.value}"),
    )


def _on_one(visit: Visit, form: Form, incident_id: str, act: Callable[[], None], flash: str) -> Response:
    def acted() -> str:
        act()
        return f"/incidents/{incident_id}"

    return tried(lambda: done(visit, form, acted, flash), lambda error: show_one(visit, incident_id, form, error))


def _known(form: Form) -> Known:
    people = form.text("subjects").replace(",", "")
    if people and not (people.isascii() and people.isdigit() and len(people) < 10):  # noqa: PLR2004 - fits an integer
        raise Invalid(
            "incident.subjects",
            ko="정보주체 수는 숫자로만 적습니다.",
            en="The number of people is written in digits.",
            remedy_ko="아직 모르면 비워 두세요.",
            remedy_en="Leave it empty if it is not known yet.",
        )
    return Known(**{field: form.text(field) for field in FIELDS}, subjects=int(people) if people else None)


def _moment(form: Form) -> datetime:
    try:
        return datetime.fromisoformat(form.text("discovered")).replace(tzinfo=KST)
    except ValueError:
        raise Invalid(
            "incident.discovered",
            ko="알게 된 시각이 날짜와 시각이 아닙니다.",
            en="The time of discovery is no date and time.",
            remedy_ko="2026-11-24T09:30처럼 한국 시각으로 적으세요.",
            remedy_en="Write Korean time like 2026-11-24T09:30.",
        ) from None
