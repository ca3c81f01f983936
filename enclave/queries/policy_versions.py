"""The versions of one provider's policy: what each changes, how far its replay is, and what would flip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.model.data import Dataset, Snapshot
from enclave.model.egress import AirlockRequest, RequestRound
from enclave.model.people import Account
from enclave.model.policy import PolicyReplay, ProviderPolicy
from enclave.model.project import Project, ProjectColumn
from enclave.policy.allows import allows
from enclave.policy.provider import who
from enclave.policy.provider.combining import Difference, differences, strictest
from enclave.policy.provider.document import PolicyDocument
from enclave.policy.provider.who import PolicyFacts
from enclave.queries import project as projects
from enclave.queries import provider_policy as queries
from enclave.states import PolicyState, RequestState
from enclave.store import Store

# Rounds that somebody decided. What was withdrawn or ran out of time nobody judged.
DECIDED = (RequestState.APPROVED, RequestState.RETURNED, RequestState.REJECTED)
OPEN = (PolicyState.PROPOSED, PolicyState.REPLAYED)


@dataclass(frozen=True)
class ReplayView:
    """What one decided round would have been. `outcome`: `enclave.policy.provider.flips.Outcome` as JSON."""

    request_id: str
    round: int
    flips: bool
    outcome: dict[str, Any]


@dataclass(frozen=True)
class PolicyView:
    """One version. `changes`: against what is in force now; `rounds`: decided ones, `missing` of them not replayed."""

    id: str
    provider: str
    number: int
    sha256: str
    text: str
    state: PolicyState
    reason: str
    proposed_by: str
    proposed_at: datetime | None
    activated_by: str
    activated_at: datetime | None
    ended_at: datetime | None
    changes: tuple[Difference, ...]
    rounds: int
    missing: int
    flips: int
    replays: tuple[ReplayView, ...]
    may: frozenset[str]


@dataclass(frozen=True)
class ProviderView:
    """One provider: what is in force, and every version, newest first."""

    provider: str
    number: int
    document: PolicyDocument
    policies: tuple[PolicyView, ...]
    may: frozenset[str]


@dataclass(frozen=True)
class Due:
    """A decided round that a proposal was not replayed on yet, and what counts for it: the strictest of all parts."""

    request_id: str
    round: int
    project_id: str
    document: PolicyDocument


def mine(store: Store, actor: Actor) -> tuple[ProviderView, ...]:
    """Return the providers whose policies this actor may see."""
    with store.read() as session:
        found = session.scalars(select(Dataset.organisation_id).distinct().order_by(Dataset.organisation_id))
        shown = [each for each in found if allows(who.check_may_see, actor, queries.provider_facts(session, each))]
        return tuple(_provider(session, each, actor) for each in shown)


def of_provider(store: Store, actor: Actor, provider: str) -> ProviderView:
    """Return one provider's versions. Raises `NotFound`, `Denied`. The console sees all."""
    with store.read() as session:
        queries.load_provider(session, provider)
        if not actor.is_console:
            who.check_may_see(actor, queries.provider_facts(session, provider))
        return _provider(session, provider, actor)


def policy(store: Store, actor: Actor, policy_id: str) -> PolicyView:
    """Return one version. Raises `NotFound`, `Denied`."""
    with store.read() as session:
        found = queries.load_policy(session, policy_id)
        if not actor.is_console:
            who.check_may_see(actor, queries.provider_facts(session, found.organisation_id))
        return policy_view(session, found, actor)


def open_policies(store: Store) -> tuple[str, ...]:
    """Return the proposals that may still be replayed, oldest first: for the chore."""
    with store.read() as session:
        query = select(ProviderPolicy.id).where(ProviderPolicy.state.in_(OPEN)).order_by(ProviderPolicy.proposed_at)
        return tuple(session.scalars(query))


def is_waiting(store: Store, policy_id: str) -> bool:
    """Return whether a proposal has not been replayed as a whole yet."""
    with store.read() as session:
        return queries.load_policy(session, policy_id).state is PolicyState.PROPOSED


def due(store: Store, policy_id: str) -> tuple[Due, ...]:
    """Return the decided rounds a proposal was not replayed on with what counts now, oldest request first."""
    with store.read() as session:
        return tuple(missing(session, queries.load_policy(session, policy_id)))


def missing(session: Session, found: ProviderPolicy) -> list[Due]:
    """Return the decided rounds without an outcome on the present basis."""
    query = select(PolicyReplay.request_id, PolicyReplay.round, PolicyReplay.basis)
    rows = session.execute(query.where(PolicyReplay.policy_id == found.id))
    done = {(request, number): basis for request, number, basis in rows}
    return [
        each for each in _decided(session, found) if done.get((each.request_id, each.round)) != each.document.sha256
    ]


def policy_facts(session: Session, found: ProviderPolicy) -> PolicyFacts:
    """Return what policies ask about one version."""
    return PolicyFacts(
        id=found.id,
        provider=queries.provider_facts(session, found.organisation_id),
        state=found.state,
        proposed_by=found.proposed_by,
        missing=len(missing(session, found)) if found.state in OPEN else 0,
    )


def policy_view(session: Session, found: ProviderPolicy, actor: Actor) -> PolicyView:
    """Return the row as pages show it."""
    about = policy_facts(session, found)
    document = queries.kept(found.kept.text, found.sha256)
    replays = _replays(session, found)
    may = {
        "activate": allows(who.check_may_activate, actor, about),
        "withdraw": allows(who.check_may_withdraw, actor, about),
    }
    return PolicyView(
        id=found.id,
        provider=found.organisation_id,
        number=found.number,
        sha256=found.sha256,
        text=found.kept.text,
        state=found.state,
        reason=found.reason,
        proposed_by=_login(session, found.proposed_by),
        proposed_at=found.proposed_at,
        activated_by=_login(session, found.activated_by),
        activated_at=found.activated_at,
        ended_at=found.ended_at,
        changes=differences(queries.active(session, found.organisation_id).document, document),
        rounds=len(_decided(session, found)) if found.state in OPEN else len(replays),
        missing=about.missing,
        flips=sum(each.flips for each in replays),
        replays=tuple(ReplayView(each.request_id, each.round, each.flips, each.outcome) for each in replays),
        may=frozenset(name for name, yes in may.items() if yes),
    )


def _provider(session: Session, provider: str, actor: Actor) -> ProviderView:
    now = queries.active(session, provider)
    query = select(ProviderPolicy).filter_by(organisation_id=provider).order_by(ProviderPolicy.number.desc())
    propose = allows(who.check_may_propose, actor, queries.provider_facts(session, provider))
    return ProviderView(
        provider=provider,
        number=now.number,
        document=now.document,
        policies=tuple(policy_view(session, each, actor) for each in session.scalars(query)),
        may=frozenset({"propose"} if propose else ()),
    )


def _replays(session: Session, found: ProviderPolicy) -> list[PolicyReplay]:
    query = select(PolicyReplay).where(PolicyReplay.policy_id == found.id)
    return list(session.scalars(query.order_by(PolicyReplay.request_id, PolicyReplay.round)))


def _decided(session: Session, found: ProviderPolicy) -> list[Due]:
    uses = (
        select(ProjectColumn.project_id)
        .join(Snapshot, Snapshot.id == ProjectColumn.snapshot_id)
        .join(Dataset, Dataset.id == Snapshot.dataset_id)
        .where(Dataset.organisation_id == found.organisation_id)
    )
    query = (
        select(RequestRound.request_id, RequestRound.round, AirlockRequest.project_id)
        .join(AirlockRequest, AirlockRequest.id == RequestRound.request_id)
        .where(AirlockRequest.project_id.in_(uses), RequestRound.ended_as.in_(DECIDED))
        .order_by(RequestRound.submitted_at, RequestRound.request_id, RequestRound.round)
    )
    rows = session.execute(query).all()
    bases = {project: _basis(session, found, project) for project in {row.project_id for row in rows}}
    return [Due(row.request_id, row.round, row.project_id, bases[row.project_id]) for row in rows]


def _basis(session: Session, found: ProviderPolicy, project_id: str) -> PolicyDocument:
    """Return what would count for a project: the proposal, and what is in force of its other providers."""
    others = projects.facts(session.get_one(Project, project_id)).providers - {found.organisation_id}
    proposed = queries.kept(found.kept.text, found.sha256)
    return strictest([proposed, *(queries.active(session, each).document for each in sorted(others))])


def _login(session: Session, account_id: str | None) -> str:
    found = session.get(Account, account_id) if account_id else None
    return found.login if found is not None else ""
