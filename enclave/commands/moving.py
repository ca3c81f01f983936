"""One step of a request: load it locked, ask the machine, change its state by the table, and name the entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import populations
from enclave.commands.acting import intent, present
from enclave.ids import new_id
from enclave.model.egress import AirlockRequest
from enclave.model.release import Release
from enclave.policy.airlock import machine, votes
from enclave.policy.airlock.facts import RequestFacts
from enclave.queries.airlock_facts import facts, load_request, present_files, present_round
from enclave.states import (
    RELEASE,
    Direction,
    FileDecision,
    FileRole,
    ReleaseState,
    RequestState,
    Verb,
    check_transition,
)
from enclave.store import Tx

RULE = "airlock/v2"
# What becomes of a decision does not change when it was made.
LATER = frozenset({RequestState.RELEASED, RequestState.RECALLED, RequestState.EXPIRED})
ACTIONS: Mapping[Direction, Mapping[Verb, Action]] = {
    Direction.EGRESS: {
        Verb.SAVE: Action.EGRESS_DRAFT,
        Verb.SUBMIT: Action.EGRESS_SUBMIT,
        Verb.WITHDRAW: Action.EGRESS_WITHDRAW,
        Verb.REASSIGN: Action.EGRESS_REASSIGN,
        Verb.REVIEW: Action.EGRESS_REVIEW,
        Verb.REVISE: Action.EGRESS_REVISE,
        Verb.CONCLUDE: Action.EGRESS_CONCLUDE,
        Verb.RETURN: Action.EGRESS_RETURN,
        Verb.REJECT: Action.EGRESS_REJECT,
        Verb.REOPEN: Action.EGRESS_REOPEN,
        Verb.COMMENT: Action.EGRESS_COMMENT,
        Verb.DECLARE: Action.EGRESS_CONFLICT,
        Verb.EXPIRE: Action.EGRESS_EXPIRE,
    },
    Direction.IMPORT: {
        Verb.SAVE: Action.IMPORT_DRAFT,
        Verb.SUBMIT: Action.IMPORT_SUBMIT,
        Verb.WITHDRAW: Action.IMPORT_WITHDRAW,
        Verb.REASSIGN: Action.IMPORT_REASSIGN,
        Verb.REVIEW: Action.IMPORT_REVIEW,
        Verb.REVISE: Action.IMPORT_REVISE,
        Verb.CONCLUDE: Action.IMPORT_CONCLUDE,
        Verb.RETURN: Action.IMPORT_RETURN,
        Verb.REJECT: Action.IMPORT_REJECT,
        Verb.REOPEN: Action.IMPORT_REOPEN,
        Verb.COMMENT: Action.IMPORT_COMMENT,
        Verb.DECLARE: Action.IMPORT_CONFLICT,
        Verb.EXPIRE: Action.IMPORT_EXPIRE,
        Verb.RELEASE: Action.IMPORT_DONE,
        Verb.RECALL: Action.IMPORT_RECALL,
    },
}
# A review that approves every file: the word that lets something leave has an entry of its own name.
APPROVES = {Direction.EGRESS: Action.EGRESS_APPROVE, Direction.IMPORT: Action.IMPORT_APPROVE}
VIEWS = {Direction.EGRESS: Action.EGRESS_VIEW, Direction.IMPORT: Action.IMPORT_VIEW}
ESCALATES = {Direction.EGRESS: Action.EGRESS_ESCALATE, Direction.IMPORT: Action.IMPORT_ESCALATE}


@dataclass(frozen=True)
class Step:
    """A request locked for one act: its row, who acts with the rights of now, and what the policies were told."""

    found: AirlockRequest
    acting: Actor
    about: RequestFacts


def begin(tx: Tx, actor: Actor, request_id: str, now: datetime) -> Step:
    """Load the request, locked until the transaction ends. Raises `NotFound`, `Denied` (the account is closed)."""
    found = load_request(tx.session, request_id, lock=True)
    acting = present(tx.session, actor, now)
    tx.record(project=found.project_id, rule=RULE, details={"round": found.round})
    return Step(found, acting, facts(found, now))


def step(tx: Tx, actor: Actor, request_id: str, verb: Verb, now: datetime) -> Step:
    """Begin an act that the machine allows. Raises what `begin` and `machine.check_proved` raise."""
    begun = begin(tx, actor, request_id, now)
    tx.record(action=ACTIONS[begun.found.direction][verb].value)
    machine.check_proved(begun.acting, begun.about, verb, now)
    return begun


def move(found: AirlockRequest, verb: Verb, after: RequestState, now: datetime, *, reason: str | None = None) -> None:
    """Bring a request into its next state and close its round if it leaves the reviewers; the table has the last word.

    Raises `Conflict` (`state.transition`) for a step that is not in `enclave.states.AIRLOCK`.
    """
    before = found.state
    machine.check_step(before, verb, after, f"신청 {found.id}")
    found.state = after
    if after is before:
        return
    current = present_round(found)
    if after is RequestState.SUBMITTED:
        found.decided_at = found.decided_reason = None
        if current is not None and verb is Verb.REOPEN:
            current.ended_at = current.ended_as = None
        return
    if after not in LATER:
        found.decided_at, found.decided_reason = now, reason
    if current is not None and current.ended_at is None:
        current.ended_at, current.ended_as = now, after


def approve(tx: Tx, begun: Step, verb: Verb, now: datetime, *, reason: str) -> None:
    """Let through what all required reviewers approved, and nothing else; on the way out, ask for its package.

    Raises `Denied` (`egress.nothing-approved`, `egress.two-person`).
    """
    found, about = begun.found, facts(begun.found, now)
    passed = votes.approved_files(about)
    votes.check_carried(about, passed)
    for file in present_files(found):
        if file.role is FileRole.OUTPUT:
            file.outcome = FileDecision.APPROVED if file.id in passed else FileDecision.CHANGES
    move(found, verb, RequestState.APPROVED, now, reason=reason)
    tx.record(details={"passed": len(passed), "kept": len(about.outputs) - len(passed)})
    if found.direction is Direction.EGRESS:
        _ask_for_package(tx, begun, now)
        names = [file.name for file in present_files(found) if file.outcome is FileDecision.APPROVED]
        tx.record(details={"ledger_cells": populations.let_out(tx.session, found, names, now)})


def cancel_release(release: Release | None) -> None:
    """Give up a package that was asked for: its key goes at once. Raises `Conflict` if it was handed over."""
    if release is None or release.state is ReleaseState.CANCELLED:
        return
    check_transition(RELEASE, release.state, ReleaseState.CANCELLED, f"반출물 {release.id}")
    release.state, release.sealed_key = ReleaseState.CANCELLED, None


def _ask_for_package(tx: Tx, begun: Step, now: datetime) -> None:
    found = begun.found
    if found.release is None:
        found.release = Release(
            id=new_id("r"), receiver_id=found.receiver_id, state=ReleaseState.REQUESTED, requested_at=now
        )
    else:
        check_transition(RELEASE, found.release.state, ReleaseState.REQUESTED, f"반출물 {found.release.id}")
        found.release.state, found.release.requested_at, found.release.failure = ReleaseState.REQUESTED, now, None
    tx.session.flush()
    wish = ("release", found.release.id)
    tx.also(intent(Action.RELEASE_REQUESTED, begun.acting, wish, project=found.project_id, outcome="allowed"))
