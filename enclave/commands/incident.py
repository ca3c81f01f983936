"""Incidents from the first word to the end: opened, revised, reported within 72 hours, closed (korea.md R88).

Whatever people write stays in the database; the log gets its hash, the kind, the project and the hours that were left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import check_system, intent, present, require, text_sha256
from enclave.errors import Conflict
from enclave.ids import new_id
from enclave.model.incident import Incident, IncidentAccount, IncidentKind
from enclave.policy import incident as policy
from enclave.policy.incident import IncidentFacts
from enclave.queries import incident as queries
from enclave.queries.incident import IncidentView
from enclave.queries.project import load_project
from enclave.reports import incident as report
from enclave.states import IncidentState
from enclave.store import Store, Tx

_HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of an incident, in the items of PIPA §34①; `subjects`: how many people, None if not known yet."""

    items: str = ""
    circumstances: str = ""
    advice: str = ""
    response: str = ""
    contact: str = ""
    subjects: int | None = None


def open_incident(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store,
    actor: Actor,
    *,
    kind: IncidentKind,
    discovered_at: datetime,
    project_id: str | None,
    known: Known,
    now: datetime,
) -> IncidentView:
    """Say that something happened; the 72 hours run from `discovered_at`. Anybody who works here.

    Raises `Denied`, `NotFound` (the project), `Invalid` (`input.missing`, `incident.future`).
    """
    event = intent(Action.INCIDENT_OPEN, actor, ("incident", "new"), project=project_id or None)
    with store.write(event) as tx:
        acting = present(tx.session, actor, now)
        policy.check_may_open(acting)
        require(("유출등의 시점과 경위", "when and how it happened", known.circumstances))
        policy.check_discovered(discovered_at, now)
        if project_id:
            load_project(tx.session, project_id)
        made = Incident(
            id=new_id("i"),
            kind=kind,
            state=IncidentState.OPEN,
            project_id=project_id or None,
            discovered_at=discovered_at,
            opened_by=None if acting.is_console else acting.account_id,
            opened_at=now,
            receipt="",
            end_reason="",
        )
        tx.session.add(made)
        tx.session.flush()
        _say(tx, made, acting, known, now)
        tx.record(object_id=made.id, details={"kind": kind.value, "due": f"{policy.due_at(discovered_at):%FT%TZ}"})
        return queries.incident_view(tx.session, made, acting, now)


def revise(store: Store, actor: Actor, *, incident_id: str, known: Known, now: datetime) -> IncidentView:
    """Say anew what is known; what was said before stays. Operators and stewards.

    Raises `Denied`, `NotFound`, `Conflict` (`incident.over`), `Invalid`.
    """
    with store.write(intent(Action.INCIDENT_REVISE, actor, ("incident", incident_id))) as tx:
        acting, found = _load(tx, actor, incident_id, now, policy.check_may_revise)
        require(("유출등의 시점과 경위", "when and how it happened", known.circumstances))
        _say(tx, found, acting, known, now)
        return queries.incident_view(tx.session, found, acting, now)


def file_report(store: Store, actor: Actor, *, incident_id: str, receipt: str, now: datetime) -> IncidentView:
    """Record that the authority was told, under the number it gave; the report's text as it is now is named by hash.

    Operators and stewards. Raises `Denied`, `NotFound`, `Conflict` (`incident.incomplete`), `Invalid`.
    """
    with store.write(intent(Action.INCIDENT_FILE, actor, ("incident", incident_id))) as tx:
        acting, found = _load(tx, actor, incident_id, now, policy.check_may_file)
        require(("접수번호", "receipt number", receipt))
        text = report.text(queries.report_facts(tx.session, found))
        found.state, found.filed_at, found.receipt = IncidentState.FILED, now, receipt.strip()
        found.filed_by = None if acting.is_console else acting.account_id
        found.report_sha256 = text_sha256(text)
        left = int((policy.due_at(found.discovered_at) - now).total_seconds() // _HOUR)
        details: dict[str, str | int | bool] = {"hours_left": left, "receipt_sha256": text_sha256(found.receipt)}
        tx.record(object_sha256=found.report_sha256, details=details)
        return queries.incident_view(tx.session, found, acting, now)


def close(store: Store, actor: Actor, *, incident_id: str, reason: str, now: datetime) -> IncidentView:
    """End a reported incident. Another person than who reported it; raises `Denied`, `Conflict`, `Invalid`."""
    event = intent(Action.INCIDENT_CLOSE, actor, ("incident", incident_id))
    with store.write(event) as tx:
        return _end(tx, actor, incident_id, (IncidentState.CLOSED, policy.check_may_close), reason, now)


def dismiss(store: Store, actor: Actor, *, incident_id: str, reason: str, now: datetime) -> IncidentView:
    """Say that it was no incident. Another person than who opened it; raises `Denied`, `Conflict`, `Invalid`."""
    event = intent(Action.INCIDENT_DISMISS, actor, ("incident", incident_id))
    with store.write(event) as tx:
        return _end(tx, actor, incident_id, (IncidentState.DISMISSED, policy.check_may_dismiss), reason, now)


def reopen(store: Store, actor: Actor, *, incident_id: str, reason: str, now: datetime) -> IncidentView:
    """Take a dismissed incident up again; its 72 hours never stopped. Raises `Denied`, `Conflict`, `Invalid`."""
    event = intent(Action.INCIDENT_REOPEN, actor, ("incident", incident_id))
    with store.write(event) as tx:
        return _end(tx, actor, incident_id, (IncidentState.OPEN, policy.check_may_reopen), reason, now)


def note_late(store: Store, actor: Actor, *, incident_id: str, now: datetime) -> None:
    """Record once that an incident was not reported in time. The service by itself; raises `Denied`, `Conflict`."""
    with store.write(intent(Action.INCIDENT_LATE, actor, ("incident", incident_id))) as tx:
        check_system(actor)
        found = queries.load_incident(tx.session, incident_id, lock=True)
        if found.state is not IncidentState.OPEN or found.late_told_at or now < policy.due_at(found.discovered_at):
            raise _not_late()
        found.late_told_at = now
        tx.record(project=found.project_id, details={"kind": found.kind.value})


def _load(
    tx: Tx, actor: Actor, incident_id: str, now: datetime, check: Callable[[Actor, IncidentFacts], None]
) -> tuple[Actor, Incident]:
    """Return who acts and the incident, if they may."""
    acting = present(tx.session, actor, now)
    found = queries.load_incident(tx.session, incident_id, lock=True)
    tx.record(project=found.project_id, details={"kind": found.kind.value})
    check(acting, queries.incident_facts(found))
    return acting, found


def _say(tx: Tx, found: Incident, acting: Actor, known: Known, now: datetime) -> None:
    number = max((each.number for each in found.accounts), default=0) + 1
    author = None if acting.is_console else acting.account_id
    found.accounts.append(IncidentAccount(number=number, author_id=author, made_at=now, **asdict(known)))
    tx.session.flush()
    told = (known.items, known.circumstances, known.advice, known.response, known.contact)
    tx.record(details={"revision": number, "account_sha256": text_sha256(*told), "subjects": known.subjects or 0})


def _end(  # noqa: PLR0917, PLR0913 - the three ends differ only in these
    tx: Tx,
    actor: Actor,
    incident_id: str,
    end: tuple[IncidentState, Callable[[Actor, IncidentFacts], None]],
    reason: str,
    now: datetime,
) -> IncidentView:
    state, check = end
    acting, found = _load(tx, actor, incident_id, now, check)
    require(("사유", "reason", reason))
    found.state, found.end_reason = state, reason.strip()
    over = state is not IncidentState.OPEN
    found.ended_at = now if over else None
    found.ended_by = acting.account_id if over and not acting.is_console else None
    tx.record(details={"reason_sha256": text_sha256(reason)})
    return queries.incident_view(tx.session, found, acting, now)


def _not_late() -> Conflict:
    return Conflict(
        "incident.not-late",
        ko="늦지 않았거나 이미 알린 사고입니다.",
        en="It is not late, or was told already.",
        remedy_ko="할 일이 없습니다.",
        remedy_en="There is nothing to do.",
    )
