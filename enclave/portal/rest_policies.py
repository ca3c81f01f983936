"""Providers' policies as JSON: what counts, proposing, what a replay shows, putting into force."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header

from enclave.commands import provider_policy as commands
from enclave.portal.acting import actor_of, proved
from enclave.portal.rest import Changing, once
from enclave.portal.rest_bodies import Body as Exactly
from enclave.portal.rest_bodies import CodeBody, Long, Short
from enclave.portal.rest_json import told
from enclave.portal.visit import Here
from enclave.queries import policy_versions as query

router = APIRouter(tags=["policies"])
Json = Any
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]


class ProposalBody(Exactly):
    """A policy file as text, and why."""

    text: Long
    reason: Long


class ActivationBody(CodeBody):
    """The version that was shown, by its SHA-256."""

    sha256: Short


@router.get("/policies")
def policies(visit: Here) -> Json:
    """Policies of all providers that this person may see, with every version."""
    return {"providers": told(query.mine(visit.portal.store, actor_of(visit)))}


@router.get("/policies/{policy_id}")
def policy(visit: Here, policy_id: str) -> Json:
    """One version with its replay."""
    return told(query.policy(visit.portal.store, actor_of(visit), policy_id))


@router.post("/providers/{provider}/policies", status_code=201)
def propose(visit: Changing, provider: str, body: ProposalBody, key: Key = "") -> Json:
    """Propose a policy for one's own organisation."""
    proposal = {"provider": provider, "text": body.text, "reason": body.reason}
    return once(visit, key, lambda: commands.propose(visit.portal.store, actor_of(visit), **proposal, now=visit.now))


@router.post("/policies/{policy_id}/activate")
def activate(visit: Changing, policy_id: str, body: ActivationBody, key: Key = "") -> Json:
    """Put a replayed version into force."""

    def act() -> object:
        actor = proved(visit, body.code)
        return commands.activate(visit.portal.store, actor, policy_id=policy_id, sha256=body.sha256, now=visit.now)

    return once(visit, key, act)


@router.post("/policies/{policy_id}/withdraw")
def withdraw(visit: Changing, policy_id: str, key: Key = "") -> Json:
    """Take a proposal back."""
    return once(
        visit, key, lambda: commands.withdraw(visit.portal.store, actor_of(visit), policy_id=policy_id, now=visit.now)
    )
