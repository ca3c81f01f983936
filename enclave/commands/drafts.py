"""A request that is being written: texts and names, kept until it is submitted. Nothing is copied or checked yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from enclave.actor import Actor
from enclave.commands.acting import intent, present
from enclave.commands.content import FileNote, Group
from enclave.commands.details import Details
from enclave.commands.moving import ACTIONS, RULE, move, step
from enclave.ids import new_id
from enclave.model.egress import AirlockRequest
from enclave.policy.airlock import who
from enclave.policy.project import check_not_frozen
from enclave.queries.airlock_shown import request_view
from enclave.queries.airlock_views import RequestView
from enclave.queries.ends import is_project_frozen
from enclave.queries.project import facts as project_facts
from enclave.queries.project import load_project
from enclave.states import Direction, RequestState, Verb
from enclave.store import Store


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What was typed so far; nothing is compulsory. `files`: names in the outbox; `notes` by name."""

    purpose: str = ""
    context: str = ""
    receiver: str = ""
    files: Sequence[str] = ()
    groups: Sequence[Group] = ()
    notes: Mapping[str, FileNote] = field(default_factory=dict)
    details: Details = field(default_factory=Details)

    def as_json(self) -> dict[str, Any]:
        """Return the draft as it is stored."""
        return asdict(self)


def save_draft(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store,
    actor: Actor,
    *,
    project_id: str,
    draft: Draft,
    now: datetime,
    request_id: str | None = None,
    direction: Direction = Direction.EGRESS,
) -> RequestView:
    """Keep a new draft, or the next round of one's own draft or returned request. Members of an active project.

    Raises `Denied`, `NotFound`, `Conflict` (it is under review or over).
    """
    event = intent(ACTIONS[direction][Verb.SAVE], actor, ("egress_request", request_id or "new"), project=project_id)
    with store.write(event) as tx:
        if request_id is not None:
            begun = step(tx, actor, request_id, Verb.SAVE, now)
            found, acting = begun.found, begun.acting
            move(found, Verb.SAVE, found.state, now)
        else:
            project = load_project(tx.session, project_id)
            acting = present(tx.session, actor, now)
            who.check_may_submit(acting, project_facts(project), project.state, now)
            check_not_frozen(frozen=is_project_frozen(project))
            found = _new(project_id, acting, direction, now)
            tx.session.add(found)
        found.draft = draft.as_json()
        if found.state is RequestState.DRAFT:
            found.purpose, found.context, found.submitted_at = draft.purpose, draft.context, now
        tx.session.flush()
        tx.session.refresh(found)
        tx.record(object_id=found.id, rule=RULE, details={"files": len(draft.files)})
        return request_view(found, acting, now)


def _new(project_id: str, acting: Actor, direction: Direction, now: datetime) -> AirlockRequest:
    made = new_id("e")
    return AirlockRequest(
        id=made,
        direction=direction,
        project_id=project_id,
        requester_id=acting.account_id,
        receiver_id=acting.account_id,
        state=RequestState.DRAFT,
        round=0,
        content_sha256="",
        purpose="",
        context="",
        details=Details().as_json(),
        # Never what a door sends: the key of the submission that follows is the door's own.
        idempotency_key=f"draft:{made}",
        created_at=now,
        submitted_at=now,
    )
