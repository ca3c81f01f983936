"""A provider's policy, step by step: proposed, replayed, active, superseded or withdrawn (docs/adr/0018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import check_system, intent, present, require, text_sha256
from enclave.errors import Conflict
from enclave.ids import new_id
from enclave.model.policy import PolicyReplay, PolicyText, ProviderPolicy
from enclave.policy.provider import who
from enclave.policy.provider.document import PolicyDocument, parse
from enclave.queries import policy_versions as versions
from enclave.queries import provider_policy as queries
from enclave.queries.policy_versions import PolicyView, policy_facts, policy_view
from enclave.states import POLICY, PolicyState, check_transition
from enclave.store import Store, Tx

RULE = "provider-policy/v1"


@dataclass(frozen=True)
class Replayed:
    """What replaying one decided round showed. `basis`: the hash of the combination it was replayed with."""

    request_id: str
    round: int
    basis: str
    flips: bool
    outcome: Mapping[str, Any]


def propose(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, provider: str, text: str, reason: str, now: datetime
) -> PolicyView:
    """Propose a policy file for one's own organisation. It changes nothing before it is replayed and activated.

    Data stewards of the provider who are members of no project with its data. Raises `Denied`, `NotFound`
    (`policy.unknown`: it provides no data), `Invalid` (`policy.…`, `input.missing`), `Conflict` (`policy.same`).
    """
    with store.write(intent(Action.POLICY_PROPOSE, actor, ("organisation", provider))) as tx:
        # The organisation's row puts proposals and activations in a row.
        queries.load_provider(tx.session, provider, lock=True)
        acting = present(tx.session, actor, now)
        who.check_may_propose(acting, queries.provider_facts(tx.session, provider))
        require(("사유", "reason", reason))
        document = parse(text)
        if document == queries.active(tx.session, provider).document:
            raise _same()
        keep(tx.session, document)
        row = ProviderPolicy(
            id=new_id("y"),
            organisation_id=provider,
            number=_next_number(tx.session, provider),
            sha256=document.sha256,
            state=PolicyState.PROPOSED,
            reason=reason,
            proposed_by=acting.account_id,
            proposed_at=now,
        )
        tx.session.add(row)
        tx.session.flush()
        _say(tx, row, reason_sha256=text_sha256(reason))
        return policy_view(tx.session, row, acting)


def record_replay(
    store: Store, actor: Actor, *, policy_id: str, found: Sequence[Replayed], now: datetime
) -> PolicyView:
    """Keep what some rounds showed; once no decided round is missing, the proposal is replayed. The system.

    A round that is there already is replaced: the same basis gives the same outcome. Raises `Denied`, `NotFound`,
    `Conflict` (`state.transition`: withdrawn or activated meanwhile).
    """
    with store.write(intent(Action.POLICY_REPLAY, actor, ("policy", policy_id))) as tx:
        check_system(actor)
        row = queries.load_policy(tx.session, policy_id, lock=True)
        if row.state is not PolicyState.REPLAYED:
            check_transition(POLICY, row.state, PolicyState.REPLAYED, f"정책 {row.id}")
        for each in found:
            tx.session.merge(_replay_row(row, each, now))
        tx.session.flush()
        missing = len(versions.missing(tx.session, row))
        if not missing and row.state is PolicyState.PROPOSED:
            row.state, row.replayed_at = PolicyState.REPLAYED, now
        flips = sum(each.flips for each in found)
        _say(tx, row, rounds=len(found), flips=flips, missing=missing)
        return policy_view(tx.session, row, actor)


def activate(store: Store, actor: Actor, *, policy_id: str, sha256: str, now: datetime) -> PolicyView:
    """Put a replayed proposal into force for what is submitted from now on; what is under review keeps its own.

    `sha256`: the version as the page showed it. A second person of the provider with a second factor of the last
    5 minutes. Raises `Denied` (`policy.two-person`, `second-factor.stale` …), `Conflict` (`policy.not-replayed`,
    `policy.replay-stale`, `policy.swapped`), `NotFound`, `Invalid` (`policy.forged`: what is kept is not what it says).
    """
    with store.write(intent(Action.POLICY_ACTIVATE, actor, ("policy", policy_id))) as tx:
        row = queries.load_policy(tx.session, policy_id, lock=True)
        queries.load_provider(tx.session, row.organisation_id, lock=True)
        acting = present(tx.session, actor, now)
        if sha256 != row.sha256:
            raise _swapped()
        queries.kept(row.kept.text, row.sha256)
        who.check_activates(acting, policy_facts(tx.session, row), now)
        before = tx.session.scalar(
            select(ProviderPolicy).filter_by(organisation_id=row.organisation_id, state=PolicyState.ACTIVE)
        )
        if before is not None:
            check_transition(POLICY, before.state, PolicyState.SUPERSEDED, f"정책 {before.id}")
            before.state, before.ended_at = PolicyState.SUPERSEDED, now
            tx.session.flush()
        row.state, row.activated_by, row.activated_at = PolicyState.ACTIVE, acting.account_id, now
        tx.session.flush()
        _say(tx, row, replaced=before.number if before is not None else queries.FIRST)
        return policy_view(tx.session, row, acting)


def withdraw(store: Store, actor: Actor, *, policy_id: str, now: datetime) -> PolicyView:
    """Take a proposal back. Data stewards of the provider. Raises `Denied`, `NotFound`, `Conflict` (it was active)."""
    with store.write(intent(Action.POLICY_WITHDRAW, actor, ("policy", policy_id))) as tx:
        row = queries.load_policy(tx.session, policy_id, lock=True)
        acting = present(tx.session, actor, now)
        who.check_may_withdraw(acting, policy_facts(tx.session, row))
        row.state, row.ended_at = PolicyState.WITHDRAWN, now
        tx.session.flush()
        _say(tx, row)
        return policy_view(tx.session, row, acting)


def keep(session: Session, document: PolicyDocument) -> str:
    """Keep a policy under its hash, unless it is kept already; return the hash."""
    sha256 = document.sha256
    # Two who submit at once both keep the policy of the house for the first time.
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {"sha256": sha256, "text": document.canonical()}
    session.execute(insert(PolicyText).values(values).on_conflict_do_nothing())
    return sha256


def _next_number(session: Session, provider: str) -> int:
    query = select(func.max(ProviderPolicy.number)).where(ProviderPolicy.organisation_id == provider)
    return (session.scalar(query) or queries.FIRST) + 1


def _replay_row(row: ProviderPolicy, found: Replayed, now: datetime) -> PolicyReplay:
    return PolicyReplay(
        policy_id=row.id,
        request_id=found.request_id,
        round=found.round,
        basis=found.basis,
        flips=found.flips,
        outcome=dict(found.outcome),
        replayed_at=now,
    )


def _say(tx: Tx, row: ProviderPolicy, **more: int | str) -> None:
    details = {"provider": row.organisation_id, "number": row.number, "state": row.state.value, **more}
    tx.record(object_id=row.id, object_kind="policy", object_sha256=row.sha256, rule=RULE, details=details)


def _same() -> Conflict:
    return Conflict(
        "policy.same",
        ko="적용 중인 정책과 같은 내용입니다.",
        en="This is what the policy in force says already.",
        remedy_ko="바꿀 항목을 고쳐 다시 제안하세요.",
        remedy_en="Change what is to change, then propose again.",
    )


def _swapped() -> Conflict:
    return Conflict(
        "policy.swapped",
        ko="보고 있던 정책과 다른 판입니다.",
        en="This is another version than the one that was shown.",
        remedy_ko="화면을 새로 고쳐 내용과 재판정 결과를 다시 확인하세요.",
        remedy_en="Reload the page and look at its content and replay again.",
    )
