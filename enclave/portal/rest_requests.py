"""Requests and releases as JSON, both directions: each handler is one step of the airlock's one machine, or one query.

Every answer lists `allowed`, the verbs this person may use on it now.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.responses import Response

from enclave.commands import drafts, egress, release, reviewing
from enclave.portal import packing
from enclave.portal import rest_bodies as bodies
from enclave.portal.acting import actor_of, proved
from enclave.portal.asking import DraftBody
from enclave.portal.pages.releases import stream
from enclave.portal.rest import Changing, once
from enclave.portal.rest_json import told
from enclave.portal.visit import Here, Visit
from enclave.queries import egress as requests

router = APIRouter(tags=["requests"])
Json = Any
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]


@router.get("/requests")
def my_requests(visit: Here) -> Json:
    """One's own requests and drafts."""
    return {"requests": told(requests.mine(visit.portal.store, actor_of(visit), now=visit.now))}


@router.get("/requests/queue")
def queue(visit: Here) -> Json:
    """Show what this checker may review or conclude now."""
    return {"requests": told(requests.queue(visit.portal.store, actor_of(visit), now=visit.now))}


@router.get("/requests/stuck")
def stuck(visit: Here) -> Json:
    """Show what does not move: late reviews, packages that could not be made, recalls that are not confirmed."""
    store, actor = visit.portal.store, actor_of(visit)
    return {
        "requests": told(requests.stuck(store, actor, now=visit.now)),
        "recalls": told(requests.unconfirmed_recalls(store, actor, now=visit.now)),
    }


@router.post("/requests/drafts", status_code=201)
def save_draft(visit: Changing, body: DraftBody, key: Key = "") -> Json:
    """Keep a new draft."""
    return once(visit, key, lambda: _save(visit, body, None))


@router.put("/requests/{request_id}/draft")
def save_again(visit: Changing, request_id: str, body: DraftBody, key: Key = "") -> Json:
    """Keep a draft, or the next round of a returned request."""
    return once(visit, key, lambda: _save(visit, body, request_id))


@router.get("/requests/{request_id}")
def one_request(visit: Here, request_id: str) -> Json:
    """One request, with what went out of the same project before."""
    store, actor = visit.portal.store, actor_of(visit)
    found = requests.request(store, actor, request_id, now=visit.now)
    return told(found) | {"earlier": told(requests.earlier(store, actor, request_id, now=visit.now))}


@router.post("/requests/{request_id}/decide")
def decide(visit: Changing, request_id: str, body: bodies.DecisionBody, key: Key = "") -> Json:
    """Give one's word; the last needed approval makes the release."""

    def act() -> object:
        actor = proved(visit, body.code)
        decided = reviewing.decide(visit.portal.store, actor, request_id=request_id, vote=body.ballot(), now=visit.now)
        packing.after(visit.portal, decided, visit.now)
        return requests.request(visit.portal.store, actor, request_id, now=visit.now)

    return once(visit, key, act)


@router.post("/requests/{request_id}/conclude")
def conclude(visit: Changing, request_id: str, body: bodies.ConcludeBody, key: Key = "") -> Json:
    """Let through what all reviewers approved; the rest stays."""

    def act() -> object:
        actor, seen = proved(visit, body.code), (body.round, body.content_sha256)
        decided = reviewing.conclude(visit.portal.store, actor, request_id=request_id, seen=seen, now=visit.now)
        packing.after(visit.portal, decided, visit.now)
        return requests.request(visit.portal.store, actor, request_id, now=visit.now)

    return once(visit, key, act)


@router.post("/requests/{request_id}/reopen")
def reopen(visit: Changing, request_id: str, key: Key = "") -> Json:
    """Open a decision again that its approvals no longer carry."""
    return once(
        visit,
        key,
        lambda: reviewing.reopen(visit.portal.store, actor_of(visit), request_id=request_id, now=visit.now),
    )


@router.post("/requests/{request_id}/comments")
def comment(visit: Changing, request_id: str, body: bodies.CommentBody, key: Key = "") -> Json:
    """Remark on the present round or on one of its groups."""
    return once(
        visit,
        key,
        lambda: reviewing.comment(
            visit.portal.store,
            actor_of(visit),
            request_id=request_id,
            text=body.text,
            audience=body.audience,
            group_id=body.group_id or None,
            now=visit.now,
        ),
    )


@router.post("/requests/{request_id}/declare")
def declare(visit: Changing, request_id: str, body: bodies.ReasonBody, key: Key = "") -> Json:
    """Declare a conflict of interest: from then on one cannot judge or see it."""

    def act() -> object:
        reviewing.declare_conflict(
            visit.portal.store, actor_of(visit), request_id=request_id, reason=body.reason, now=visit.now
        )
        # Who has an interest sees no more of it, and may do nothing to it.
        return {"request_id": request_id, "declared": True, "allowed": []}

    return once(visit, key, act)


@router.post("/requests/{request_id}/reassign")
def reassign(visit: Changing, request_id: str, body: bodies.ReassignBody, key: Key = "") -> Json:
    """Hand a request to another member of the project."""
    return once(
        visit,
        key,
        lambda: egress.reassign(
            visit.portal.store,
            actor_of(visit),
            request_id=request_id,
            login=body.login,
            reason=body.reason,
            now=visit.now,
        ),
    )


@router.post("/requests/{request_id}/withdraw")
def withdraw(visit: Changing, request_id: str, key: Key = "") -> Json:
    """Withdraw one's own request."""
    return once(
        visit,
        key,
        lambda: egress.withdraw(visit.portal.store, actor_of(visit), request_id=request_id, now=visit.now),
    )


@router.get("/releases")
def my_releases(visit: Here) -> Json:
    """Releases that name this person as receiver."""
    return {"releases": told(requests.to_receive(visit.portal.store, actor_of(visit), now=visit.now))}


@router.get("/releases/{release_id}")
def one_release(visit: Here, release_id: str) -> Json:
    """One release."""
    return told(requests.release(visit.portal.store, actor_of(visit), release_id, now=visit.now))


@router.post("/releases/{release_id}/hand-over", response_class=Response)
def hand_over(visit: Changing, release_id: str, body: bodies.CodeBody) -> Response:
    """Receive a release, once: the answer is the zip file."""
    return stream(visit, release_id, body.code)


@router.post("/releases/{release_id}/build")
def build(visit: Changing, release_id: str, key: Key = "") -> Json:
    """Try again to make a package that could not be made; for those who may see its request."""
    portal = visit.portal

    def act() -> object:
        found = requests.release(portal.store, actor_of(visit), release_id, now=visit.now)
        release.build(portal.store, portal.depot, release_id=found.id, now=visit.now)
        return requests.release(portal.store, actor_of(visit), release_id, now=visit.now)

    return once(visit, key, act)


@router.post("/releases/{release_id}/recall")
def recall(visit: Changing, release_id: str, body: bodies.ReasonBody, key: Key = "") -> Json:
    """Recall a release: its link and its key are gone at once, its receiver is to confirm."""
    portal = visit.portal

    def act() -> object:
        return release.recall(
            portal.store, portal.depot, actor_of(visit), release_id=release_id, reason=body.reason, now=visit.now
        )

    return once(visit, key, act)


@router.post("/releases/{release_id}/confirm-recall")
def confirm_recall(visit: Changing, release_id: str, body: bodies.StatementBody, key: Key = "") -> Json:
    """Say that one's copies of a recalled release are gone."""
    return once(
        visit,
        key,
        lambda: release.confirm_recall(
            visit.portal.store, actor_of(visit), release_id=release_id, statement=body.statement, now=visit.now
        ),
    )


def _save(visit: Visit, body: DraftBody, request_id: str | None) -> object:
    return drafts.save_draft(
        visit.portal.store,
        actor_of(visit),
        project_id=body.project_id,
        draft=body.draft(),
        direction=body.direction,
        request_id=request_id,
        now=visit.now,
    )
