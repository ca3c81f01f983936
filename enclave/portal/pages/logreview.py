"""The review of the log as pages: periods with what stands in the way of signing, findings, explanations, signatures.

A person who was asked to explain something finds it on a page of their own; reviewers and auditors see everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from enclave.actions import Action
from enclave.commands import findings, findings_together, logreview, reporting, signoff
from enclave.errors import EnclaveError, NotFound
from enclave.policy.logreview.reasons import REASONS, said_reason
from enclave.portal.acting import actor_of, done, proved, tried
from enclave.portal.forms import Form
from enclave.portal.headers import REPORT_POLICY
from enclave.portal.render import label
from enclave.portal.stands import seen_of
from enclave.portal.together import explained, groups, refusals
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import logreview as query
from enclave.queries import review_limits
from enclave.queries.finding_acts import acts_of
from enclave.queries.review_window import Published
from enclave.roles import Role
from enclave.states import FindingState, PeriodState

router = APIRouter()
# What a reviewer can settle now comes first; what is settled, last and folded.
SETTLED = (FindingState.ACCEPTED, FindingState.ESCALATED)
ORDER = (FindingState.ANSWERED, FindingState.RAISED, FindingState.ASKED, *SETTLED)


@router.get("/periods")
def periods(visit: Here) -> Response:
    """Show all periods, the open one first."""
    return show(visit)


@router.post("/periods/inspect")
def inspect(visit: Here, form: OwnForm) -> Response:
    """Run the rules over what was recorded so far."""

    def act() -> str:
        portal = visit.portal
        made = logreview.inspect(portal.store, Published.of(portal.settings), actor_of(visit), now=visit.now)
        return f"/periods/{made.id}"

    return tried(lambda: done(visit, form, act, "periods.inspected"), lambda error: show(visit, error))


@router.post("/periods/close")
def close(visit: Here, form: OwnForm) -> Response:
    """Close the open period at the newest checkpoint."""

    def act() -> str:
        portal = visit.portal
        made = logreview.close(portal.store, Published.of(portal.settings), actor_of(visit), now=visit.now)
        return f"/periods/{made.id}"

    return tried(lambda: done(visit, form, act, "periods.closed_now"), lambda error: show(visit, error))


@router.get("/periods/{period_id}")
def period(visit: Here, period_id: str) -> Response:
    """Show one period."""
    return show_period(visit, period_id)


@router.get("/periods/{period_id}/report.{kind}")
def report(visit: Here, period_id: str, kind: str) -> Response:
    """Hand out the report of a period; its HTML is shown in a sandbox, everything else is a file."""
    actor, seen = actor_of(visit), _printed(visit, period_id)
    made = reporting.of_period(visit.portal.store, actor, period_id=period_id, kind=kind, now=visit.now, seen=seen)
    return handed(made)


@router.post("/periods/{period_id}/ask")
def ask(visit: Here, form: OwnForm, period_id: str) -> Response:
    """Ask for the explanations of the ticked findings."""

    def act() -> str:
        ids = form.many("finding")
        store, actor = visit.portal.store, actor_of(visit)
        findings.ask(store, actor, finding_ids=ids, text=form.text("text"), now=visit.now)
        return f"/periods/{period_id}#findings"

    return _in_period(visit, form, period_id, act, "periods.asked")


@router.post("/periods/{period_id}/findings/{finding_id}/{verb}")
def decide(visit: Here, form: OwnForm, period_id: str, finding_id: str, verb: str) -> Response:
    """Accept an explanation, hand the finding on, or ask again."""

    def act() -> str:
        store, actor, text = visit.portal.store, actor_of(visit), form.text("text")
        if verb == "accept":
            findings.accept(store, actor, finding_id=finding_id, text=text, now=visit.now)
        elif verb == "escalate":
            findings.escalate(store, actor, finding_id=finding_id, text=text, now=visit.now)
        else:
            findings.ask(store, actor, finding_ids=(finding_id,), text=text, now=visit.now)
        return f"/periods/{period_id}#{finding_id}"

    return _in_period(visit, form, period_id, act, "periods.decided")


@router.post("/periods/{period_id}/settle")
def settle(visit: Here, form: OwnForm, period_id: str) -> Response:
    """Accept or hand on the ticked findings of one rule, with one reason: all of them or none."""

    def act() -> str:
        store, actor, ids = visit.portal.store, actor_of(visit), form.many("finding")
        verdict, text = form.text("verdict"), form.text("text")
        findings_together.settle(store, actor, finding_ids=ids, verdict=verdict, text=text, now=visit.now)
        return f"/periods/{period_id}#findings"

    return tried(
        lambda: done(visit, form, act, "periods.settled", count=f"{len(set(form.many('finding'))):,}"),
        lambda error: show_period(visit, period_id, error, form),
    )


@router.post("/periods/{period_id}/sign")
def sign(visit: Here, form: OwnForm, period_id: str) -> Response:
    """Sign the report as it was shown: first the reviewer, then the approver."""

    def act() -> str:
        actor, store = proved(visit, form.text("code")), visit.portal.store
        sha256 = form.text("sha256")
        if form.text("as") == "approver":
            signoff.approve(store, actor, period_id=period_id, report_sha256=sha256, now=visit.now)
        else:
            seen = _printed(visit, period_id)
            signoff.review(store, actor, period_id=period_id, report_sha256=sha256, now=visit.now, seen=seen)
        return f"/periods/{period_id}"

    return _in_period(visit, form, period_id, act, "periods.signed_now")


@router.post("/periods/{period_id}/return")
def send_back(visit: Here, form: OwnForm, period_id: str) -> Response:
    """Give a reviewed period back."""

    def act() -> str:
        reason, store = form.text("reason"), visit.portal.store
        signoff.send_back(store, actor_of(visit), period_id=period_id, reason=reason, now=visit.now)
        return f"/periods/{period_id}"

    return _in_period(visit, form, period_id, act, "periods.returned")


@router.get("/explain")
def explain(visit: Here) -> Response:
    """Show what this person was asked to explain."""
    return show_explain(visit)


@router.post("/explain/{finding_id}")
def answer(visit: Here, form: OwnForm, finding_id: str) -> Response:
    """Explain one finding."""

    def act() -> str:
        findings.answer(
            visit.portal.store,
            actor_of(visit),
            finding_id=finding_id,
            text=form.text("text"),
            reason_code=form.text("reason"),
            now=visit.now,
        )
        return "/explain"

    return tried(
        lambda: done(visit, form, act, "explain.sent"),
        lambda error: show_explain(visit, error, (finding_id, form)),
    )


def show(visit: Visit, error: EnclaveError | None = None) -> Response:
    """Return the page of all periods."""
    actor, store = actor_of(visit), visit.portal.store
    found = query.periods(store, actor, now=visit.now)
    plan, _ = review_limits.current(store)
    return visit.page(
        "periods.html",
        here="periods",
        status=error.status if error else 200,
        error=error,
        periods=found,
        plan=plan,
        reviews=_reviews(visit),
        states=tuple(FindingState),
    )


def show_period(visit: Visit, period_id: str, error: EnclaveError | None = None, sent: Form | None = None) -> Response:
    """Return the page of one period; `sent`: the form of several findings that was refused."""
    actor, store = actor_of(visit), visit.portal.store
    found, listed = query.period(store, actor, period_id, now=visit.now)
    return visit.page(
        "period.html",
        here="periods",
        status=error.status if error else 200,
        error=error,
        period=found,
        findings=sorted(listed, key=lambda each: ORDER.index(each.state)),
        order=ORDER,
        together=groups(listed, sent, error),
        refused=refusals(listed, error),
        explained=explained,
        settled=SETTLED,
        report=_report_sha256(visit, found.id) if found.state is not PeriodState.OPEN else "",
        said_reason=said_reason,
        seen=seen_of(visit, found.size) if found.size is not None else None,
    )


def show_explain(visit: Visit, error: EnclaveError | None = None, sent: tuple[str, Form] | None = None) -> Response:
    """Return the page of a person's own findings; `sent`: what was refused, so that nothing typed is lost."""
    found = query.to_explain(visit.portal.store, actor_of(visit))
    return visit.page(
        "explain.html",
        here="explain",
        status=error.status if error else 200,
        error=error,
        findings=found,
        acts=_acts(visit, found),
        reasons=list(REASONS.items()),
        sent_for=sent[0] if sent else "",
        typed=sent[1].text("text") if sent else "",
        chosen=sent[1].text("reason") if sent else "",
    )


def handed(made: reporting.Handed) -> Response:
    """Return a report as an answer: HTML in a sandbox of its own, everything else to be saved."""
    if made.media.startswith("text/html"):
        return Response(made.data, media_type=made.media, headers={"Content-Security-Policy": REPORT_POLICY})
    name = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.data, media_type=made.media, headers=name)


@dataclass(frozen=True)
class Did:
    """What a finding is about, in the visitor's language: from when to when, and how often each act."""

    first: datetime
    last: datetime
    actions: list[tuple[str, int]]


def _acts(visit: Visit, found: Sequence[query.FindingView]) -> dict[str, Did]:
    """Return what was done and when, by a finding's id."""
    known = set(Action)

    def words(action: str) -> str:
        return label(visit.language, Action(action)) if action in known else action

    acts = acts_of(visit.portal.store, found)
    return {
        name: Did(did.first, did.last, [(words(action), count) for action, count in did.actions])
        for name, did in acts.items()
    }


def _report_sha256(visit: Visit, period_id: str) -> str:
    """Return the hash of the report as it is now: what a signature on this page stands for."""
    with visit.portal.store.read() as session:
        return signoff.source_sha256(session, query.load_period(session, period_id))


def _printed(visit: Visit, period_id: str) -> str:
    """Return what the report says of the witnesses of its checkpoint; nothing while there is none."""
    try:
        with visit.portal.store.read() as session:
            size = query.load_period(session, period_id).size
    except NotFound:  # the command says so itself, and its refusal is an entry
        size = None
    return seen_of(visit, size).printed if size is not None else ""


def _reviews(visit: Visit) -> bool:
    return Role.REVIEWER in actor_of(visit).roles


def _in_period(visit: Visit, form: Form, period_id: str, act: Callable[[], str], flash: str) -> Response:
    return tried(lambda: done(visit, form, act, flash), lambda error: show_period(visit, period_id, error))
