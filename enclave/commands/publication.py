"""From a received snapshot to an offered one: risk review, adequacy, the board's decision (docs/adr, korea.md R89).

Each word binds to the snapshot, whose id is the hash of what was signed, and to the risk review by its hash. Texts go
to the database; the log gets hashes, counts and codes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.samples import forget_originals
from enclave.errors import Denied
from enclave.ids import new_id
from enclave.model.data import Snapshot
from enclave.model.publication import AdequacyWord, Publication, RiskReview
from enclave.policy import publication as policy
from enclave.policy.publication import QUESTIONS, Decision
from enclave.queries.dataset import SnapshotView, load_snapshot, snapshot_view
from enclave.queries.publication import dossier_facts, kind_of, newest_risk
from enclave.states import SNAPSHOT, SnapshotState, check_transition
from enclave.store import Store

KEYS = (*(key for key, _, _ in QUESTIONS), "level_data", "level_place")


def write_risk_review(
    store: Store, actor: Actor, *, snapshot_id: str, answers: Mapping[str, str], now: datetime
) -> SnapshotView:
    """Write the risk review of a snapshot, or write it anew: then nobody's word on the former one counts any more.

    Stewards and asset owners of the provider. Raises `Denied`, `NotFound`, `Conflict`, `Invalid` (`risk.unanswered`).
    """
    with store.write(intent(Action.SNAPSHOT_RISK, actor, ("snapshot", snapshot_id))) as tx:
        found, acting = _opened(tx.session, actor, snapshot_id, now)
        policy.check_may_answer(acting, dossier_facts(tx.session, found))
        kept = {key: answers.get(key, "").strip() for key in KEYS}
        policy.check_answers(kept)
        before = newest_risk(tx.session, snapshot_id)
        row = RiskReview(
            id=new_id("k"),
            snapshot_id=snapshot_id,
            number=1 if before is None else before.number + 1,
            answers=kept,
            sha256="",
            written_by=acting.account_id,
            written_at=now,
        )
        row.sha256 = _risk_sha256(row)
        tx.session.add(row)
        tx.session.flush()
        details = {"risk_sha256": row.sha256, "number": row.number, "levels": _levels(kept)}
        tx.record(object_sha256=snapshot_id, details=details)
        return snapshot_view(found, acting)


def judge_adequacy(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, snapshot_id: str, risk_sha256: str, adequate: bool, reason: str, now: datetime
) -> SnapshotView:
    """Say once whether a snapshot is treated adequately for its use, on the risk review the page showed.

    Reviewers who are of no start-up and did not prepare it, with a second factor of the last 5 minutes. Raises
    `Denied` (`adequacy.startup`, `adequacy.own-work` …), `NotFound`, `Conflict` (`adequacy.already`, `risk.other` …).
    """
    with store.write(intent(Action.SNAPSHOT_ADEQUACY, actor, ("snapshot", snapshot_id))) as tx:
        found, acting = _opened(tx.session, actor, snapshot_id, now)
        kind = kind_of(tx.session, acting)
        if kind is None:
            raise _nobody()
        facts = dossier_facts(tx.session, found)
        policy.check_may_judge(acting, facts, kind=kind, risk_sha256=risk_sha256, now=now)
        require(("의견", "reason", reason))
        _speak(tx.session, found, acting, now, waiver=False, adequate=adequate, reason=reason)
        details = {"risk_sha256": risk_sha256, "adequate": adequate, "reason_sha256": text_sha256(reason)}
        tx.record(object_sha256=snapshot_id, details=details)
        return snapshot_view(found, acting)


def waive_adequacy(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, snapshot_id: str, risk_sha256: str, reason: str, now: datetime
) -> SnapshotView:
    """Do without the reviewers, for a reason that is kept. An asset owner of the provider who did not prepare it.

    Raises `Denied`, `NotFound`, `Conflict`, `Invalid` (`input.missing`: no reason).
    """
    with store.write(intent(Action.SNAPSHOT_WAIVE, actor, ("snapshot", snapshot_id))) as tx:
        found, acting = _opened(tx.session, actor, snapshot_id, now)
        facts = dossier_facts(tx.session, found)
        policy.check_may_waive(acting, facts, risk_sha256=risk_sha256, now=now)
        require(("생략 사유", "reason of the waiver", reason))
        _speak(tx.session, found, acting, now, waiver=True, adequate=True, reason=reason)
        tx.record(object_sha256=snapshot_id, details={"risk_sha256": risk_sha256, "reason_sha256": text_sha256(reason)})
        return snapshot_view(found, acting)


def offer(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, snapshot_id: str, risk_sha256: str, decision: Decision, now: datetime
) -> SnapshotView:
    """Offer a snapshot in the catalogue under the board's decision, once every step before is done.

    Stewards and asset owners of the provider, with a second factor of the last 5 minutes. Raises `Denied`, `NotFound`,
    `Conflict` (what is missing), `Invalid` (`publication.…`).
    """
    with store.write(intent(Action.SNAPSHOT_PUBLISH, actor, ("snapshot", snapshot_id))) as tx:
        found, acting = _opened(tx.session, actor, snapshot_id, now)
        facts = dossier_facts(tx.session, found)
        policy.check_may_offer(acting, facts, risk_sha256=risk_sha256, now=now)
        policy.check_decision(decision, now)
        check_transition(SNAPSHOT, found.state, SnapshotState.PUBLISHED, f"스냅샷 {snapshot_id[:12]}")
        risk = newest_risk(tx.session, snapshot_id)
        if risk is None or not (decision.drb_on and decision.starts_on and decision.ends_on):
            raise RuntimeError("the rules let through what lacks a risk review or a date")
        row = Publication(
            snapshot_id=snapshot_id,
            risk_review_id=risk.id,
            drb_number=decision.drb_number.strip(),
            drb_on=decision.drb_on,
            starts_on=decision.starts_on,
            ends_on=decision.ends_on,
            decided_by=acting.account_id,
            decided_at=now,
        )
        tx.session.add(row)
        found.state, found.published_by, found.published_at = SnapshotState.PUBLISHED, acting.account_id, now
        tx.session.flush()
        tx.record(
            object_sha256=snapshot_id,
            details={
                "dataset": found.dataset_id,
                "risk_sha256": risk.sha256,
                "drb_sha256": text_sha256(row.drb_number),
                "drb_on": row.drb_on.isoformat(),
                "ends_on": row.ends_on.isoformat(),
                "reviewers": sum(not word.waiver for word in facts.words),
                "waived": any(word.waiver for word in facts.words),
            },
        )
        return snapshot_view(found, acting)


def send_back(store: Store, actor: Actor, *, snapshot_id: str, reason: str, now: datetime) -> SnapshotView:
    """Send a snapshot back to be built again; nobody can offer it any more, and its sampled texts are deleted.

    Stewards and asset owners of the provider. Raises `Denied`, `NotFound`, `Conflict`, `Invalid`.
    """
    with store.write(intent(Action.SNAPSHOT_RETURN, actor, ("snapshot", snapshot_id))) as tx:
        found, acting = _opened(tx.session, actor, snapshot_id, now)
        policy.check_may_return(acting, dossier_facts(tx.session, found))
        require(("사유", "reason", reason))
        check_transition(SNAPSHOT, found.state, SnapshotState.RETURNED, f"스냅샷 {snapshot_id[:12]}")
        found.state, found.withdrawn_at, found.withdraw_reason = SnapshotState.RETURNED, now, reason
        forget_originals(tx.session, snapshot_id)
        tx.record(object_sha256=snapshot_id, details={"reason_sha256": text_sha256(reason)})
        return snapshot_view(found, acting)


def _opened(session: Session, actor: Actor, snapshot_id: str, now: datetime) -> tuple[Snapshot, Actor]:
    """Return the snapshot, locked so that words come one after the other, and who acts."""
    found = load_snapshot(session, snapshot_id, lock=True)
    return found, present(session, actor, now)


def _speak(  # noqa: PLR0913 - what one row holds
    session: Session, found: Snapshot, acting: Actor, now: datetime, *, waiver: bool, adequate: bool, reason: str
) -> None:
    risk = newest_risk(session, found.id)
    if risk is None:
        raise RuntimeError("the rules let through a word without a risk review")
    session.add(
        AdequacyWord(
            id=new_id("q"),
            risk_review_id=risk.id,
            account_id=acting.account_id,
            organisation_id=acting.organisation_id,
            waiver=waiver,
            adequate=adequate,
            reason=reason,
            said_at=now,
        )
    )
    session.flush()


def _risk_sha256(row: RiskReview) -> str:
    """Hash what the reviewers read: the snapshot, the version, every answer."""
    body = {"snapshot": row.snapshot_id, "number": row.number, "answers": row.answers}
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _levels(answers: Mapping[str, str]) -> str:
    return f"{answers['level_data']}/{answers['level_place']}"


def _nobody() -> Denied:
    return Denied(
        "role.missing",
        ko="기관에 속한 검토위원만 의견을 낼 수 있습니다.",
        en="Only reviewers of an organisation may speak.",
        remedy_ko="검토위원 계정으로 로그인하세요.",
        remedy_en="Sign in as a reviewer.",
    )
