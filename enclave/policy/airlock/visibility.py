"""Who sees what of a round: blind until all needed reviews are in, open to the author when it is decided. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from enclave.actor import Actor
from enclave.policy.airlock import votes, who
from enclave.policy.airlock.facts import RequestFacts
from enclave.policy.allows import allows
from enclave.states import Audience, Decision, FileDecision, Phase, RequestState


@dataclass(frozen=True)
class Said:
    """A review or a comment, as far as it matters who may read it."""

    author_id: str
    round: int
    audience: Audience = Audience.CHECKERS
    decision: Decision | None = None


def is_authors_side(actor: Actor, request: RequestFacts) -> bool:
    """Return whether the actor belongs to those who asked: requester, receiver, members."""
    return actor.account_id in request.project.member_ids | {request.requester_id, request.receiver_id}


def sees_present_round(actor: Actor, request: RequestFacts) -> bool:
    """Return whether the actor may read what other checkers wrote in the present round."""
    phase = votes.phase(request)
    if phase is Phase.INDEPENDENT:
        return False
    if phase is Phase.CONSOLIDATING:
        # Not every checker: one who may yet have to replace a reviewer is still blind.
        mine = {each.reviewer_id for each in votes.counting(request)}
        return actor.account_id in mine and allows(who.check_is_checker, actor, request)
    return True


def sees_review(actor: Actor, request: RequestFacts, said: Said) -> bool:
    """Return whether the actor may read this review; the author never learns which of the reviewers disagreed."""
    if said.author_id == actor.account_id:
        return True
    if not is_authors_side(actor, request):
        return said.round < request.round or sees_present_round(actor, request)
    if said.decision in {Decision.RETURN, Decision.REJECT}:
        return said.round < request.round or votes.phase(request) in {Phase.AUTHOR, Phase.COMPLETE}
    passed = request.state in {RequestState.APPROVED, RequestState.RELEASED, RequestState.RECALLED}
    agreed = votes.is_unanimous(request)
    return passed and agreed and said.round == request.round


def sees_comment(actor: Actor, request: RequestFacts, said: Said) -> bool:
    """Return whether the actor may read this comment."""
    from_authors = said.author_id in request.project.member_ids | {request.requester_id}
    if said.author_id == actor.account_id or from_authors:
        return True
    if not is_authors_side(actor, request):
        return said.round < request.round or sees_present_round(actor, request)
    decided = said.round < request.round or votes.phase(request) in {Phase.AUTHOR, Phase.COMPLETE}
    return said.audience is Audience.PUBLIC and decided


def decision_shown(actor: Actor, request: RequestFacts, decision: FileDecision) -> FileDecision:
    """Return what the actor is told of the votes on one file of the present round."""
    if not sees_present_round(actor, request):
        return FileDecision.INCOMPLETE
    if decision is FileDecision.CONFLICTED and is_authors_side(actor, request):
        return FileDecision.CHANGES
    return decision


def sees_evidence(actor: Actor, request: RequestFacts) -> bool:
    """Return whether the actor may see what the system recomputed: nobody of those who asked, it holds hidden cells.

    Nor a colleague of theirs, whatever they oversee.
    """
    return not is_authors_side(actor, request) and actor.organisation_id not in request.own_organisations
