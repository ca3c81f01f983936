"""Reviewing what wants to leave or to come in, on one page: request, approved purpose, verdicts, files, decision.

As korea.md R123 asks; the requester sees the same page as far as they may. Everything shown of a file comes from the
sealed checker; no file is opened here or sent out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter
from starlette.responses import Response

from enclave.actor import Actor
from enclave.airlock.preview import Compared
from enclave.commands import ballot
from enclave.errors import EnclaveError
from enclave.policy.airlock import machine, votes
from enclave.policy.airlock.facts import RequestFacts
from enclave.portal import evidenced, looking
from enclave.portal.acting import Typed, actor_of, typed
from enclave.portal.forms import Form
from enclave.portal.looking import Look
from enclave.portal.turning import ask_of
from enclave.portal.visit import Here, Visit
from enclave.queries import egress, evidence, overlaps, project, sighting
from enclave.queries.airlock_facts import facts, load_request
from enclave.queries.airlock_views import FileView, RequestView
from enclave.states import Audience, Decision, FileVote, RequestState, Verb

router = APIRouter()
DECIDES = frozenset({Verb.REVIEW, Verb.REVISE, Verb.RETURN, Verb.REJECT})
JUDGEMENTS = ("purpose_relation", "identifiability", "safety_measures")


def show(visit: Visit, request_id: str, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return the review page; with a refusal, everything that was typed is still there."""
    actor, store = actor_of(visit), visit.portal.store
    request = egress.request(store, actor, request_id, now=visit.now)
    fields = visit.request.query_params
    opened, first = fields.get("f", ""), _first(fields.get("first", ""))
    found = evidence.evidence(store, actor, request_id, now=visit.now)
    rules = {file.id: {one.rule for one in file.findings} for file in request.files}
    shown = {name: [evidenced.shown(each, rules[name]) for each in ones] for name, ones in found.items()}
    near = overlaps.by_file(overlaps.overlaps(store, actor, request_id, now=visit.now))
    about = _about(visit, request)
    return visit.page(
        "review.html",
        here="review" if DECIDES & request.may else "",
        status=error.status if error else 200,
        error=error,
        errors=_errors(visit, form, error),
        typed=typed(form),
        request=request,
        project=_project(visit, actor, request),
        denial=None if DECIDES & request.may else _refusal(actor, about, Verb.REVIEW, visit),
        decisions=_choices(visit, actor, request, about),
        file_votes=list(FileVote),
        audiences=list(Audience) if Verb.DECLARE in request.may else [Audience.PUBLIC],
        reasons=[(code, visit.say(f"reasons.{code}")) for code in ballot.REASON_CODES],
        looks=_looks(visit, request, opened, first),
        evidence=shown,
        overlaps=near,
        lines=[evidenced.glance(each, shown.get(each.id, ()), near.get(each.name, ())) for each in request.files],
        gone=[each.name for each in request.changes if each.change == "removed"],
        changed={each.after_id: each.change for each in request.changes if each.after_id},
        opened=opened,
        first=first,
        earlier=egress.earlier(store, actor, request_id, now=visit.now),
        again=request.state in {RequestState.DRAFT, RequestState.RETURNED} and Verb.SUBMIT in request.may,
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


def _errors(visit: Visit, form: Form | None, error: EnclaveError | None) -> Typed:
    missing = visit.say("base.field_empty")
    if form is None or error is None:
        return Typed()
    if error.code == "egress.judgement-missing":
        return Typed({name: missing for name in JUDGEMENTS if not form.text(name)})
    needs = {"egress.comment-missing": "comment", "egress.blocked-file": "override_reason"}
    return Typed({needs[error.code]: missing}) if error.code in needs else Typed()


def _about(visit: Visit, request: RequestView) -> RequestFacts:
    with visit.portal.store.read() as rows:
        return facts(load_request(rows, request.id), visit.now)


def _choices(
    visit: Visit, actor: Actor, request: RequestView, about: RequestFacts
) -> list[tuple[Decision, EnclaveError | None, EnclaveError | None]]:
    """Return each decision with what stands against it, and what it needs besides; the second factor left aside."""
    if not DECIDES & request.may:
        return []
    reviewed = actor.account_id in {each.reviewer_id for each in votes.of_this_round(about)}
    review = Verb.REVISE if reviewed else Verb.REVIEW
    verbs = {Decision.APPROVE: review, Decision.CHANGES: review, Decision.RETURN: Verb.RETURN}
    verbs[Decision.REJECT] = Verb.REJECT
    needs = {Decision.APPROVE: _blocked(request, about)}
    return [(each, _refusal(actor, about, verb, visit), needs.get(each)) for each, verb in verbs.items()]


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


def _looks(visit: Visit, request: RequestView, opened: str, first: int) -> Mapping[str, Look]:
    """Return what can be shown of each file; the one that the address names with the page that it names."""
    ask = ask_of(visit.request.query_params)
    seen = sighting.seen_whole(visit.portal.store, actor_of(visit), request.id)
    looks = {}
    for file in request.files:
        asked = ask if file.id == opened and not ask.is_plain else None
        begin = first if file.id == opened else 0
        look = looking.look(visit, request, file, first=begin, ask=asked, seen=seen)
        looks[file.id] = replace(look, changes=_changes(visit, request, file))
    return looks


def _changes(visit: Visit, request: RequestView, file: FileView) -> tuple[Compared, ...]:
    """Return what changed since the round before, if this file was in it and is not what it was."""
    change = next((each for each in request.changes if each.after_id == file.id and each.change == "changed"), None)
    before = next((old for old in request.earlier_files if change is not None and old.id == change.before_id), None)
    if before is None or before.sha256 == file.sha256:
        return ()
    return looking.compare(visit, request, before, file)


def _first(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0  # noqa: PLR2004 - there are at most 500 pieces


def _project(visit: Visit, actor: Actor, request: RequestView) -> project.ProjectView | None:
    """Return the project in full where this person may see it; a receiver from outside sees only its purpose."""
    try:
        return project.project(visit.portal.store, actor, request.project_id, now=visit.now)
    except EnclaveError:
        return None
