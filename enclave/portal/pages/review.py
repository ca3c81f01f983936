"""Reviewing what wants to leave: request, approved purpose, verdicts, preview, earlier releases, decision, on one page.

As korea.md R123 asks. Everything shown of a file comes from the sealed preview; no file is opened here or sent out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter
from starlette.responses import Response

from enclave.actor import Actor
from enclave.airlock.preview import Compared
from enclave.commands import ballot, reviewing
from enclave.commands import egress as commands
from enclave.errors import EnclaveError
from enclave.policy.airlock import machine
from enclave.policy.airlock.facts import RequestFacts
from enclave.portal import looking, packing
from enclave.portal.acting import Typed, actor_of, done, one_of, proved, tried, typed
from enclave.portal.forms import Form
from enclave.portal.looking import Look
from enclave.portal.render import label
from enclave.portal.turning import ask_of
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import egress, project
from enclave.queries.airlock_facts import facts, load_request
from enclave.queries.airlock_views import FileView, RequestView
from enclave.states import Decision, Verb

router = APIRouter()
DECIDES = frozenset({Verb.REVIEW, Verb.REVISE})
JUDGEMENTS = ("purpose_relation", "identifiability", "safety_measures")


def show(visit: Visit, request_id: str, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return the review page; with a refusal, everything that was typed is still there."""
    actor, store = actor_of(visit), visit.portal.store
    request = egress.request(store, actor, request_id, now=visit.now)
    missing = visit.say("base.field_empty")
    fields = visit.request.query_params
    opened, first = fields.get("f", ""), _first(fields.get("first", ""))
    empty = form is not None and error is not None and error.code == "egress.judgement-missing"
    return visit.page(
        "review.html",
        here="review" if DECIDES & request.may else "",
        status=error.status if error else 200,
        error=error,
        errors=Typed({name: missing for name in JUDGEMENTS if empty and form is not None and not form.text(name)}),
        typed=typed(form),
        request=request,
        project=_project(visit, actor, request),
        denial=_why_not(visit, actor, request),
        decisions=_choices(visit, actor, request),
        reasons=[(code, visit.say(f"reasons.{code}")) for code in ballot.REASON_CODES],
        looks=_looks(visit, request, opened, first),
        gone=_gone(request),
        opened=opened,
        first=first,
        earlier=egress.earlier(store, actor, request_id, now=visit.now),
    )


@router.get("/review")
def queue(visit: Here) -> Response:
    """Show what this checker may vote on now, longest waiting first."""
    waiting = egress.queue(visit.portal.store, actor_of(visit), now=visit.now)
    return visit.page("review_queue.html", here="review", requests=waiting)


@router.get("/review/{request_id}")
def review(visit: Here, request_id: str) -> Response:
    """Show one request to whoever may see it; what they may do now depends on who they are."""
    return show(visit, request_id)


@router.post("/review/{request_id}/decide")
def decide(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Record a vote, bound to the round and the content hash that the page showed."""
    decision = form.text("decision")

    def act() -> str:
        ballot = _ballot(form)
        actor = proved(visit, form.text("code"))
        decided = reviewing.decide(visit.portal.store, actor, request_id=request_id, vote=ballot, now=visit.now)
        packing.after(visit.portal, decided, visit.now)
        return f"/review/{request_id}"

    return tried(
        lambda: done(visit, form, act, "review.sent", decision=label(visit.language, one_of(Decision, decision))),
        lambda error: show(visit, request_id, form, error),
    )


@router.post("/review/{request_id}/withdraw")
def withdraw(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Withdraw one's own request."""

    def act() -> str:
        commands.withdraw(visit.portal.store, actor_of(visit), request_id=request_id, now=visit.now)
        return f"/review/{request_id}"

    return tried(lambda: done(visit, form, act, "review.withdrawn"), lambda error: show(visit, request_id, form, error))


def _ballot(form: Form) -> ballot.Ballot:
    judgements = ballot.Judgements(**{name: form.text(name) for name in JUDGEMENTS})
    number = form.text("round")
    return ballot.Ballot(
        decision=one_of(Decision, form.text("decision")),
        round=int(number) if number.isdecimal() and len(number) < 6 else 0,  # noqa: PLR2004 - a round is small
        content_sha256=form.text("content"),
        reason_code=form.text("reason_code"),
        judgements=judgements,
        comment=form.text("comment"),
        override_reason=form.text("override_reason"),
    )


def _choices(visit: Visit, actor: Actor, request: RequestView) -> list[tuple[Decision, EnclaveError | None]]:
    """Return each decision with the policy's reason against it, leaving the second factor aside until it is given."""
    if not DECIDES & request.may:
        return []
    with visit.portal.store.read() as rows:
        about = facts(load_request(rows, request.id), visit.now)
    review = Verb.REVIEW if Verb.REVIEW in request.may else Verb.REVISE
    blocked = _blocked(request, about)
    verbs = {Decision.APPROVE: review, Decision.RETURN: Verb.RETURN, Decision.REJECT: Verb.REJECT}
    found = [(decision, _refusal(actor, about, verb, visit)) for decision, verb in verbs.items()]
    return [(decision, refusal or (blocked if decision is Decision.APPROVE else None)) for decision, refusal in found]


def _blocked(request: RequestView, about: RequestFacts) -> EnclaveError | None:
    """Return what stands against approving everything without a reason for an override."""
    nothing = ballot.Judgements("", "", "")
    try:
        ballot.spread(ballot.Ballot(Decision.APPROVE, request.round, request.content_sha256, "", nothing), about)
    except EnclaveError as error:
        return error
    return None


def _refusal(actor: Actor, about: RequestFacts, verb: Verb, visit: Visit) -> EnclaveError | None:
    try:
        machine.check(actor, about, verb, visit.now)
    except EnclaveError as error:
        return error
    return None


def _why_not(visit: Visit, actor: Actor, request: RequestView) -> EnclaveError | None:
    """Return why this person may not decide now, in the policy's own words; None if they may."""
    if DECIDES & request.may:
        return None
    with visit.portal.store.read() as rows:
        about = facts(load_request(rows, request.id), visit.now)
    return _refusal(actor, about, Verb.REVIEW, visit)


def _looks(visit: Visit, request: RequestView, opened: str, first: int) -> Mapping[str, Look]:
    """Return what can be shown of each file; the one that the address names with the page that it names."""
    ask = ask_of(visit.request.query_params)
    looks = {}
    for file in request.files:
        asked = ask if file.id == opened and not ask.is_plain else None
        seen = looking.look(visit, request, file, first=first if file.id == opened else 0, ask=asked)
        looks[file.id] = replace(seen, changes=_changes(visit, request, file))
    return looks


def _changes(visit: Visit, request: RequestView, file: FileView) -> tuple[Compared, ...]:
    """Return what changed since this file's last round, if it was in one and is not what it was."""
    before = max(
        (old for old in request.earlier_files if old.name == file.name), key=lambda old: old.round, default=None
    )
    if before is None or before.sha256 == file.sha256:
        return ()
    return looking.compare(visit, request, before, file)


def _gone(request: RequestView) -> list[str]:
    """Return the names of files that were in the round before and are not in this one."""
    names = {file.name for file in request.files}
    return [old.name for old in request.earlier_files if old.round == request.round - 1 and old.name not in names]


def _first(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0  # noqa: PLR2004 - there are at most 500 pieces


def _project(visit: Visit, actor: Actor, request: RequestView) -> project.ProjectView | None:
    """Return the project in full where this person may see it; a receiver from outside sees only its purpose."""
    try:
        return project.project(visit.portal.store, actor, request.project_id, now=visit.now)
    except EnclaveError:
        return None
