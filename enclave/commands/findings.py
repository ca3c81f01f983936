"""What is said about a finding: explanation asked for, given by the person concerned, accepted or escalated (소명).

Texts stay in the database, where nothing changes or removes them; the log has their hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from audit.event import Event
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.errors import Invalid
from enclave.model.logreview import FindingText, ReviewFinding
from enclave.policy.logreview import who
from enclave.policy.logreview.reasons import MISUSE, REASONS
from enclave.queries.logreview import FindingView, finding_facts, finding_view, load_finding, wants_reason
from enclave.states import FindingState
from enclave.store import Store, Tx

MOST_CHARS, MOST_AT_ONCE = 4_000, 200


def ask(store: Store, actor: Actor, *, finding_ids: Sequence[str], text: str, now: datetime) -> int:
    """Ask for explanations of one or several findings, with the same words; those concerned find it on their page.

    Reviewers whom none of them concerns. Raises `Denied`, `NotFound`, `Conflict`, `Invalid`. Returns how many.
    """
    ids = list(dict.fromkeys(finding_ids))
    first = intent(Action.FINDING_ASK, actor, ("log_finding", ids[0] if ids else "none"))
    with store.write(first) as tx:
        acting = present(tx.session, actor, now)
        check_how_many(ids)
        check_text(("요청 내용", "what is asked", text))
        for number, finding_id in enumerate(ids):
            found = load_finding(tx.session, finding_id, lock=True)
            who.check_may_ask(acting, finding_facts(found))
            found.asked_by = acting.account_id
            _say(tx, found, acting, FindingState.ASKED, text, now)
            _tell(
                tx, found, text, also=intent(Action.FINDING_ASK, acting, ("log_finding", found.id)) if number else None
            )
        return len(ids)


def answer(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, finding_id: str, text: str, reason_code: str = "", now: datetime
) -> FindingView:
    """Explain a finding. Only whom it concerns; `reason_code` (`REASONS`) where a download had no reason.

    Raises `Denied` (`finding.not-yours`), `NotFound`, `Conflict`, `Invalid` (`finding.reason`, `input.missing`).
    """
    with store.write(intent(Action.FINDING_ANSWER, actor, ("log_finding", finding_id))) as tx:
        acting = present(tx.session, actor, now)
        found = load_finding(tx.session, finding_id, lock=True)
        who.check_may_answer(acting, finding_facts(found))
        check_text(("소명", "explanation", text))
        if wants_reason(found):
            if reason_code not in REASONS:
                raise _which_reason()
            found.reason_code = reason_code
        found.answered_by = acting.account_id
        _say(tx, found, acting, FindingState.ANSWERED, text, now)
        _tell(tx, found, text)
        return finding_view(tx.session, found, acting)


def accept(store: Store, actor: Actor, *, finding_id: str, text: str, now: datetime) -> FindingView:
    """Accept an explanation, and say why. A reviewer whom it does not concern.

    Raises `Denied` (`finding.own-case`), `NotFound`, `Conflict` (`finding.reason-missing`), `Invalid`.
    """
    with store.write(intent(Action.FINDING_ACCEPT, actor, ("log_finding", finding_id))) as tx:
        acting = present(tx.session, actor, now)
        found = load_finding(tx.session, finding_id, lock=True)
        who.check_may_accept(acting, finding_facts(found))
        decide(tx, found, acting, FindingState.ACCEPTED, text, now)
        return finding_view(tx.session, found, acting)


def escalate(store: Store, actor: Actor, *, finding_id: str, text: str, now: datetime) -> FindingView:
    """Hand a finding on, and say to whom and what was done; a download still without a reason is misuse.

    A reviewer whom it does not concern. Raises `Denied`, `NotFound`, `Conflict`, `Invalid`.
    """
    with store.write(intent(Action.FINDING_ESCALATE, actor, ("log_finding", finding_id))) as tx:
        acting = present(tx.session, actor, now)
        found = load_finding(tx.session, finding_id, lock=True)
        who.check_may_escalate(acting, finding_facts(found))
        decide(tx, found, acting, FindingState.ESCALATED, text, now)
        return finding_view(tx.session, found, acting)


def decide(  # noqa: PLR0913, PLR0917 - one helper, the parts of one decision
    tx: Tx,
    found: ReviewFinding,
    acting: Actor,
    state: FindingState,
    text: str,
    now: datetime,
    also: Event | None = None,
) -> None:
    """Settle a finding that policy lets `acting` settle; `also`: its entry, where it is not the transaction's own.

    Raises `Invalid` (`input.missing`, `finding.text-too-long`).
    """
    check_text(("판단 근거", "why", text))
    if state is FindingState.ESCALATED and wants_reason(found):
        found.reason_code = found.reason_code or MISUSE
    found.decided_by, found.decided_at = acting.account_id, now
    _say(tx, found, acting, state, text, now)
    _tell(tx, found, text, also=also)


def _say(  # noqa: PLR0913, PLR0917 - one helper, the parts of one text
    tx: Tx, found: ReviewFinding, acting: Actor, state: FindingState, text: str, now: datetime
) -> None:
    found.state = state
    made = FindingText(
        finding_id=found.id,
        number=len(found.texts) + 1,
        part=state,
        author_id=acting.account_id,
        text=text,
        made_at=now,
    )
    tx.session.add(made)
    tx.session.flush()
    tx.session.refresh(found, ["texts"])


def _tell(tx: Tx, found: ReviewFinding, text: str, *, also: Event | None = None) -> None:
    details: dict[str, str | int | bool] = {"rule": found.rule, "why": found.why, "text_sha256": text_sha256(text)}
    project, reason = found.project or None, found.reason_code or None
    if also is None:
        tx.record(project=project, reason_code=reason, details=details)
    else:
        tx.also(replace(also, project=project, reason_code=reason, details=details))


def check_how_many(ids: Sequence[str]) -> None:
    """Raise `Invalid` (`finding.how-many`) unless 1 to 200 findings were chosen."""
    if not 0 < len(ids) <= MOST_AT_ONCE:
        raise _how_many()


def check_text(field: tuple[str, str, str]) -> None:
    """Raise `Invalid` (`input.missing`, `finding.text-too-long`) unless (Korean name, English name, text) has one."""
    require(field)
    if len(field[2]) > MOST_CHARS:
        raise Invalid(
            "finding.text-too-long",
            ko=f"{field[0]}이(가) {MOST_CHARS:,}자보다 깁니다.",
            en=f"The {field[1]} is longer than {MOST_CHARS:,} characters.",
            remedy_ko="줄여서 다시 보내세요.",
            remedy_en="Shorten it and send it again.",
        )


def _which_reason() -> Invalid:
    return Invalid(
        "finding.reason",
        ko="다운로드 사유를 목록에서 고르지 않았습니다.",
        en="No reason of the download was chosen from the list.",
        remedy_ko="사유를 고르고 다시 보내세요.",
        remedy_en="Choose a reason and send it again.",
    )


def _how_many() -> Invalid:
    return Invalid(
        "finding.how-many",
        ko=f"한 번에 1~{MOST_AT_ONCE}건을 고를 수 있습니다.",
        en=f"Choose 1 to {MOST_AT_ONCE} findings at once.",
        remedy_ko="목록에서 고르세요.",
        remedy_en="Tick them in the list.",
    )
