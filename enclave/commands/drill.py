"""Attack drills: asked for, begun, and what they found. A broken barrier is an alert of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from audit.event import Event
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, text_sha256
from enclave.errors import Conflict, Invalid
from enclave.ids import new_id
from enclave.model.drill import DrillResult, DrillRun
from enclave.policy.drill import check_may_request_drill, check_may_run_drill
from enclave.queries.drill import DrillView, drill_view, load_drill
from enclave.states import DRILL, DrillReason, DrillState, check_transition
from enclave.store import Store, Tx
from enclave.workspace.barriers.barrier import Outcome
from enclave.workspace.barriers.catalogue import BARRIERS

FORMAT = "ansim-drill-v1"
# Signed before the bytes, so that a signature over a document can never pass for one over a plan.
SIGNATURE_CONTEXT = b"ansim-drill-v1\n"
OPEN = (DrillState.REQUESTED, DrillState.RUNNING)
EVIDENCE = 1000


@dataclass(frozen=True)
class Found:
    """What was found for one barrier."""

    barrier_id: str
    outcome: Outcome
    evidence: str


def request_drill(store: Store, actor: Actor, *, reason: DrillReason = DrillReason.ASKED, now: datetime) -> DrillView:
    """Ask for a drill; the drill's own process begins it within seconds.

    Auditors and the console; the system for those it owes (`install`, `daily`). Raises `Denied`, `Conflict`
    (`drill.waiting`: one is asked for or runs already).
    """
    made = DrillRun(id=new_id("d"), reason=reason, state=DrillState.REQUESTED, requested_by=actor.account_id)
    with store.write(intent(Action.DRILL_REQUEST, actor, ("drill", made.id))) as tx:
        tx.record(details={"reason": reason.value})
        if not actor.is_system:
            check_may_request_drill(present(tx.session, actor, now))
        if tx.session.scalar(select(DrillRun.id).where(DrillRun.state.in_(OPEN))) is not None:
            raise _waiting()
        made.requested_at, made.held, made.broken, made.untestable = now, 0, 0, 0
        tx.session.add(made)
        tx.session.flush()
        return drill_view(made)


def begin_drill(store: Store, actor: Actor, *, drill_id: str, now: datetime) -> DrillView:
    """Note that a drill begins; one that a crash left running is noted as failed. System and console.

    Raises `Denied`, `NotFound`, `Conflict`.
    """
    with store.write(intent(Action.DRILL_BEGIN, actor, ("drill", drill_id))) as tx:
        check_may_run_drill(actor)
        for left in tx.session.scalars(select(DrillRun).where(DrillRun.state == DrillState.RUNNING)):
            if left.id != drill_id:
                left.state, left.finished_at, left.failure = DrillState.FAILED, now, "drill.interrupted"
                tx.also(_failed(actor, left.id, "drill.interrupted"))
        found = load_drill(tx.session, drill_id, lock=True)
        check_transition(DRILL, found.state, DrillState.RUNNING, f"모의침투 {drill_id}")
        found.state, found.started_at = DrillState.RUNNING, now
        tx.record(details={"reason": found.reason.value, "barriers": len(BARRIERS)})
        return drill_view(found)


def record_drill(  # noqa: PLR0913 - keyword-only
    store: Store, actor: Actor, *, drill_id: str, found: Sequence[Found], key: Ed25519PrivateKey, now: datetime
) -> DrillView:
    """Record what a drill found for every barrier of the list: one entry, and one more for each that did not hold.

    The whole is kept as a document, signed with the plan key. System and console. Raises `Denied`, `NotFound`,
    `Conflict`, `Invalid` (`drill.incomplete`: a barrier is missing, or told twice).
    """
    with store.write(intent(Action.DRILL_DONE, actor, ("drill", drill_id))) as tx:
        check_may_run_drill(actor)
        _check_whole(found)
        run = load_drill(tx.session, drill_id, lock=True)
        check_transition(DRILL, run.state, DrillState.DONE, f"모의침투 {drill_id}")
        run.state, run.finished_at = DrillState.DONE, now
        _note(tx, run, found)
        run.document = _document(run, found)
        run.document_sha256 = hashlib.sha256(run.document).hexdigest()
        run.document_signature = key.sign(SIGNATURE_CONTEXT + run.document)
        counts = {"held": run.held, "broken": run.broken, "untestable": run.untestable}
        tx.record(object_sha256=run.document_sha256, details=counts)
        for each in found:
            if each.outcome is Outcome.BROKEN:
                tx.also(_broken(actor, drill_id, each))
        tx.session.flush()
        return drill_view(run)


def fail_drill(store: Store, actor: Actor, *, drill_id: str, code: str, now: datetime) -> DrillView:
    """Record that a drill did not come to its end, and a code of why. System and console.

    Raises `Denied`, `NotFound`, `Conflict`.
    """
    with store.write(intent(Action.DRILL_FAILED, actor, ("drill", drill_id))) as tx:
        check_may_run_drill(actor)
        run = load_drill(tx.session, drill_id, lock=True)
        check_transition(DRILL, run.state, DrillState.FAILED, f"모의침투 {drill_id}")
        run.state, run.finished_at, run.failure = DrillState.FAILED, now, code[:200]
        tx.record(outcome="failed", reason_code=code[:80])
        return drill_view(run)


def _check_whole(found: Sequence[Found]) -> None:
    told = [each.barrier_id for each in found]
    missing = {barrier.id for barrier in BARRIERS} ^ set(told)
    if missing or len(told) != len(set(told)):
        raise Invalid(
            "drill.incomplete",
            ko=f"방벽 목록과 결과가 맞지 않습니다: {', '.join(sorted(missing)[:5]) or '중복'}",
            en=f"The results do not match the list of barriers: {', '.join(sorted(missing)[:5]) or 'told twice'}",
            remedy_ko="모든 방벽을 시험한 결과만 기록할 수 있습니다.",
            remedy_en="Only a drill of all barriers is recorded.",
        )


def _note(tx: Tx, run: DrillRun, found: Sequence[Found]) -> None:
    outcomes = [each.outcome for each in found]
    run.held, run.broken = outcomes.count(Outcome.HELD), outcomes.count(Outcome.BROKEN)
    run.untestable = outcomes.count(Outcome.UNTESTABLE)
    for position, each in enumerate(found):
        made = DrillResult(run_id=run.id, barrier_id=each.barrier_id, position=position, outcome=each.outcome)
        made.evidence = each.evidence[:EVIDENCE]
        tx.session.add(made)


def _document(run: DrillRun, found: Sequence[Found]) -> bytes:
    values = {
        "format": FORMAT,
        "drill": run.id,
        "reason": run.reason.value,
        "started_at": run.started_at.isoformat() if run.started_at else "",
        "finished_at": run.finished_at.isoformat() if run.finished_at else "",
        "results": [{"id": r.barrier_id, "outcome": r.outcome.value, "evidence": r.evidence[:EVIDENCE]} for r in found],
    }
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _failed(actor: Actor, drill_id: str, code: str) -> Event:
    return replace(intent(Action.DRILL_FAILED, actor, ("drill", drill_id), outcome="failed"), reason_code=code)


def _broken(actor: Actor, drill_id: str, each: Found) -> Event:
    event = intent(Action.DRILL_BROKEN, actor, ("barrier", each.barrier_id), outcome="failed")
    details = {"drill": drill_id, "evidence_sha256": text_sha256(each.evidence)}
    return replace(event, details=details)


def _waiting() -> Conflict:
    return Conflict(
        "drill.waiting",
        ko="이미 요청되었거나 진행 중인 모의침투가 있습니다.",
        en="A drill is asked for or runs already.",
        remedy_ko="몇 분 뒤 결과를 확인하세요.",
        remedy_en="See its result in a few minutes.",
    )
