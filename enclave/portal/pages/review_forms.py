"""What is sent from the review page: a word on the round, its conclusion, comments, a conflict, a withdrawal."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import egress as commands
from enclave.commands import reviewing
from enclave.commands.ballot import Ballot, Judgements
from enclave.portal import packing
from enclave.portal.acting import actor_of, done, one_of, proved, tried
from enclave.portal.forms import Form
from enclave.portal.pages.review import JUDGEMENTS, show
from enclave.portal.render import label
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.states import Audience, Decision, FileVote

router = APIRouter()


@router.post("/review/{request_id}/decide")
def decide(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Record one's word, bound to the round and the content hash that the page showed."""
    decision = form.text("decision")

    def act() -> str:
        vote = _ballot(form)
        actor = proved(visit, form.text("code"))
        decided = reviewing.decide(visit.portal.store, actor, request_id=request_id, vote=vote, now=visit.now)
        packing.after(visit.portal, decided, visit.now)
        return f"/review/{request_id}"

    return tried(
        lambda: done(visit, form, act, "review.sent", decision=label(visit.language, one_of(Decision, decision))),
        lambda error: show(visit, request_id, form, error),
    )


@router.post("/review/{request_id}/conclude")
def conclude(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Let through what all required reviewers approved; the rest stays."""

    def act() -> None:
        actor, seen = proved(visit, form.text("code")), (_round(form), form.text("content"))
        decided = reviewing.conclude(visit.portal.store, actor, request_id=request_id, seen=seen, now=visit.now)
        packing.after(visit.portal, decided, visit.now)

    return _done(visit, form, request_id, act, "review.concluded")


@router.post("/review/{request_id}/reopen")
def reopen(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Open an approved request again whose approvals no longer carry it."""

    def act() -> None:
        reviewing.reopen(visit.portal.store, actor_of(visit), request_id=request_id, now=visit.now)

    return _done(visit, form, request_id, act, "review.reopened")


@router.post("/review/{request_id}/comment")
def comment(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Remark on the round or on one of its groups."""

    def act() -> None:
        reviewing.comment(
            visit.portal.store,
            actor_of(visit),
            request_id=request_id,
            text=form.text("text"),
            audience=one_of(Audience, form.text("audience")),
            group_id=form.text("group") or None,
            now=visit.now,
        )

    return _done(visit, form, request_id, act, "review.commented")


@router.post("/review/{request_id}/declare")
def declare(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Declare a conflict of interest: from then on this person cannot judge the request."""

    def act() -> str:
        store, actor = visit.portal.store, actor_of(visit)
        reviewing.declare_conflict(store, actor, request_id=request_id, reason=form.text("reason"), now=visit.now)
        return "/review"

    return tried(lambda: done(visit, form, act, "review.declared"), lambda error: show(visit, request_id, form, error))


@router.post("/review/{request_id}/withdraw")
def withdraw(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Withdraw one's own request."""

    def act() -> None:
        commands.withdraw(visit.portal.store, actor_of(visit), request_id=request_id, now=visit.now)

    return _done(visit, form, request_id, act, "review.withdrawn")


@router.post("/review/{request_id}/reassign")
def reassign(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Hand a request over to another member of the project."""

    def act() -> None:
        store, actor = visit.portal.store, actor_of(visit)
        commands.reassign(
            store, actor, request_id=request_id, login=form.text("login"), reason=form.text("reason"), now=visit.now
        )

    return _done(visit, form, request_id, act, "review.reassigned")


def _done(visit: Visit, form: Form, request_id: str, act: Callable[[], None], flash: str) -> Response:
    def once() -> str:
        act()
        return f"/review/{request_id}"

    return tried(lambda: done(visit, form, once, flash), lambda error: show(visit, request_id, form, error))


def _round(form: Form) -> int:
    number = form.text("round")
    return int(number) if number.isdecimal() and len(number) < 6 else 0  # noqa: PLR2004 - a round is small


def _ballot(form: Form) -> Ballot:
    votes = {file_id: one_of(FileVote, vote) for file_id, vote in form.starting("vote-").items() if vote}
    comments = {group_id: text for group_id, text in form.starting("comment-").items() if text}
    return Ballot(
        decision=one_of(Decision, form.text("decision")),
        round=_round(form),
        content_sha256=form.text("content"),
        reason_code=form.text("reason_code"),
        judgements=Judgements(**{name: form.text(name) for name in JUDGEMENTS}),
        comment=form.text("comment"),
        votes=votes,
        comments=comments,
        override_reason=form.text("override_reason"),
    )
