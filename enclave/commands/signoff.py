"""A period of the review signed by two people: each the hash of the report they were shown (audit-log.md §8).

The report's data are its one JSON spelling; HTML and PDF are drawn from it, and all three are kept as they were signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.errors import Conflict
from enclave.model.logreview import ReviewPeriod, ReviewReport
from enclave.policy.logreview import who
from enclave.queries import review_report
from enclave.queries.logreview import PeriodView, load_period, own_open, period_facts, period_view
from enclave.reports import html, monthly, pdf
from enclave.states import PeriodState
from enclave.store import Store, Tx


@dataclass(frozen=True)
class Report:
    """The report of a period as it is now; `sha256` names its data and is what is signed."""

    source: bytes
    html: bytes
    pdf: bytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of the data."""
        return sha256(self.source).hexdigest()

    @property
    def files(self) -> dict[str, bytes]:
        """All three forms by kind: `json`, `html`, `pdf`."""
        return {"json": self.source, "html": self.html, "pdf": self.pdf}


def make(session: Session, period: ReviewPeriod, seen: str = "") -> Report:
    """Return the report of a closed period; `seen` as in `reports.monthly.document`.

    Raises `Conflict` (`period.not-closed`), `Unavailable`.
    """
    facts = review_report.monthly(session, period)
    document = monthly.document(facts, seen)
    return Report(monthly.source(facts), html.page(document), pdf.draw(document))


def source_sha256(session: Session, period: ReviewPeriod) -> str:
    """Return the SHA-256 of the report's data as they are now, without drawing it. Raises `Conflict`."""
    return sha256(monthly.source(review_report.monthly(session, period))).hexdigest()


def review(  # noqa: PLR0913 - keyword-only
    store: Store, actor: Actor, *, period_id: str, report_sha256: str, now: datetime, seen: str = ""
) -> PeriodView:
    """Sign a period as its reviewer. `report_sha256`: the report as it was shown; `seen`: as in `make`.

    A reviewer without open findings of their own and with a fresh second factor, once nothing is open and no download
    is without a reason. Raises `Denied` (`period.own-finding`, `second-factor.stale`), `Conflict`
    (`period.findings-open`, `period.reason-missing`, `period.earlier`, `period.swapped`), `NotFound`, `Unavailable`.
    """
    event = intent(Action.PERIOD_REVIEW, actor, ("period", period_id))
    with store.prepare(event), store.read() as session:
        acting, period = present(session, actor, now), load_period(session, period_id)
        who.check_may_review(acting, period_facts(session, period), own_open(session, acting))
        report = make(session, period, seen)
    with store.write(event) as tx:
        acting = present(tx.session, actor, now)
        period = load_period(tx.session, period_id, lock=True)
        who.check_may_review(acting, period_facts(tx.session, period), own_open(tx.session, acting))
        who.check_signs(acting, now)
        _check_same(report_sha256, report.sha256, source_sha256(tx.session, period))
        for kind, data in report.files.items():
            # Signed again after it was sent back, it may be the same.
            if tx.session.get(ReviewReport, (period.id, report.sha256, kind)) is None:
                row = ReviewReport(period_id=period.id, source=report.sha256, kind=kind)
                row.sha256, row.data = sha256(data).hexdigest(), data
                tx.session.add(row)
        period.state, period.reviewer_id, period.reviewed_at = PeriodState.REVIEWED, acting.account_id, now
        period.report_sha256, period.returned_reason = report.sha256, ""
        tx.session.flush()
        hashes = {f"{kind}_sha256": sha256(data).hexdigest() for kind, data in report.files.items() if kind != "json"}
        _say(tx, period, **hashes)
        return period_view(tx.session, period, acting, now)


def approve(store: Store, actor: Actor, *, period_id: str, report_sha256: str, now: datetime) -> PeriodView:
    """Sign a period as its approver: another reviewer, the same report. It is over then.

    Raises `Denied` (`period.two-person`, `period.own-finding`, `second-factor.stale`), `Conflict` (`period.swapped`;
    what `review` raises), `NotFound`.
    """
    with store.write(intent(Action.PERIOD_APPROVE, actor, ("period", period_id))) as tx:
        acting = present(tx.session, actor, now)
        period = load_period(tx.session, period_id, lock=True)
        who.check_may_approve(acting, period_facts(tx.session, period), own_open(tx.session, acting))
        who.check_signs(acting, now)
        _check_same(report_sha256, period.report_sha256 or "", source_sha256(tx.session, period))
        period.state, period.approver_id, period.approved_at = PeriodState.SIGNED, acting.account_id, now
        tx.session.flush()
        _say(tx, period, reviewer=period.reviewer_id or "")
        return period_view(tx.session, period, acting, now)


def send_back(store: Store, actor: Actor, *, period_id: str, reason: str, now: datetime) -> PeriodView:
    """Give a period that waits for approval back to be reviewed again. Raises `Denied`, `Conflict`, `Invalid`."""
    with store.write(intent(Action.PERIOD_RETURN, actor, ("period", period_id))) as tx:
        acting = present(tx.session, actor, now)
        period = load_period(tx.session, period_id, lock=True)
        who.check_may_return(acting, period_facts(tx.session, period))
        require(("되돌리는 까닭", "reason", reason))
        sent = period.report_sha256
        period.state, period.returned_reason = PeriodState.CLOSED, reason
        period.reviewer_id = period.reviewed_at = period.report_sha256 = None
        tx.session.flush()
        tx.record(object_sha256=sent, details={"number": period.number, "reason_sha256": text_sha256(reason)})
        return period_view(tx.session, period, acting, now)


def _check_same(*hashes: str) -> None:
    if len(set(hashes)) != 1:
        raise Conflict(
            "period.swapped",
            ko="보고 있던 보고서와 다른 내용입니다. 서명하지 않았습니다.",
            en="This is another report than the one that was shown. Nothing was signed.",
            remedy_ko="보고서를 다시 열어 확인한 뒤 서명하세요.",
            remedy_en="Open the report again, look at it, then sign.",
        )


def _say(tx: Tx, period: ReviewPeriod, **more: str) -> None:
    details: dict[str, str | int | bool] = {
        "number": period.number,
        "first": period.first_leaf,
        "size": period.size or 0,
        "plan_sha256": text_sha256(period.plan_version),
        **more,
    }
    tx.record(object_sha256=period.report_sha256, details=details)
