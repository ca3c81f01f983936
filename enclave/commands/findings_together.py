"""Several findings of one rule settled with one reason: all of them or none, each with an entry of its own.

Whoever judges thirty night shifts of one kind says why once. What is judged stays one finding: each is checked by the
policy of its own, has its own text and its own entry, and a refusal names the finding it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import findings
from enclave.commands.acting import intent, present
from enclave.errors import Conflict, EnclaveError, Invalid
from enclave.model.logreview import ReviewFinding
from enclave.policy.logreview import who
from enclave.policy.logreview.who import FindingFacts
from enclave.queries.logreview import finding_facts, load_finding
from enclave.states import FindingState
from enclave.store import Store, Tx


@dataclass(frozen=True)
class Verdict:
    """What is done to each finding: its action, the state it comes to, and who may."""

    action: Action
    state: FindingState
    check: Callable[[Actor, FindingFacts], None]


VERDICTS: Mapping[str, Verdict] = MappingProxyType(
    {
        "accept": Verdict(Action.FINDING_ACCEPT, FindingState.ACCEPTED, who.check_may_accept),
        "escalate": Verdict(Action.FINDING_ESCALATE, FindingState.ESCALATED, who.check_may_escalate),
    }
)


class SomeRefused(Conflict):
    """Some of the findings cannot be settled this way (`finding.some-refused`); none was. `refused`: why, by id."""

    def __init__(self, refused: Mapping[str, EnclaveError], asked: int) -> None:
        super().__init__(
            "finding.some-refused",
            ko=f"고른 {asked}건 가운데 {len(refused)}건을 처리할 수 없어 아무것도 처리하지 않았습니다.",
            en=f"{len(refused)} of the {asked} chosen cannot be settled this way; none was.",
            remedy_ko="아래의 것을 빼고 다시 보내세요.",
            remedy_en="Leave those below out and send it again.",
        )
        self.refused = refused


def settle(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, finding_ids: Sequence[str], verdict: str, text: str, now: datetime
) -> int:
    """Accept (`accept`) or hand on (`escalate`) findings that share a rule, with one reason; return how many.

    A reviewer whom none of them concerns. All or nothing: raises `SomeRefused` with the refusal of each finding that
    may not be settled this way (each is an entry), `Invalid` (`finding.how-many`, `finding.rules-mixed`,
    `finding.verdict`, `input.missing`), `NotFound`.
    """
    ids = list(dict.fromkeys(finding_ids))
    action = Action.FINDING_ESCALATE if verdict == "escalate" else Action.FINDING_ACCEPT
    event = intent(action, actor, ("log_finding", ids[0] if ids else "none"))
    with store.prepare(event), store.read() as session:
        wanted = _wanted(verdict)
        findings.check_how_many(ids)
        findings.check_text(("판단 근거", "why", text))
        refused = _refusals(session, present(session, actor, now), ids, wanted)
    if refused:
        _record(store, actor, wanted, refused)
        raise SomeRefused(refused, len(ids))
    with store.write(event) as tx:
        acting = present(tx.session, actor, now)
        for number, finding_id in enumerate(ids):
            found = _still(tx, acting, finding_id, wanted)
            also = intent(wanted.action, acting, ("log_finding", finding_id)) if number else None
            findings.decide(tx, found, acting, wanted.state, text, now, also)
        return len(ids)


def _wanted(verdict: str) -> Verdict:
    if verdict not in VERDICTS:
        raise _which_verdict()
    return VERDICTS[verdict]


def _refusals(session: Session, acting: Actor, ids: Sequence[str], wanted: Verdict) -> dict[str, EnclaveError]:
    listed = [load_finding(session, each) for each in ids]
    if len({each.rule for each in listed}) > 1:
        raise _mixed()
    refused: dict[str, EnclaveError] = {}
    for found in listed:
        try:
            wanted.check(acting, finding_facts(found))
        except EnclaveError as error:
            refused[found.id] = error
    return refused


def _still(tx: Tx, acting: Actor, finding_id: str, wanted: Verdict) -> ReviewFinding:
    """Return the finding, locked; raise as policy does where somebody was quicker: nothing at all is done then."""
    found = load_finding(tx.session, finding_id, lock=True)
    try:
        wanted.check(acting, finding_facts(found))
    except EnclaveError as error:
        # The transaction's own entry is of the first finding: the refusal is told of the one it is about.
        tx.record(object_id=found.id)
        raise SomeRefused({found.id: error}, 1) from error
    return found


def _record(store: Store, actor: Actor, wanted: Verdict, refused: Mapping[str, EnclaveError]) -> None:
    """Record each refusal under the finding that it is about."""
    for finding_id, error in refused.items():
        try:
            with store.prepare(intent(wanted.action, actor, ("log_finding", finding_id))):
                raise error
        except type(error):
            continue


def _which_verdict() -> Invalid:
    return Invalid(
        "finding.verdict",
        ko="수용할지 조치로 넘길지 고르지 않았습니다.",
        en="It was not said whether to accept or to escalate.",
        remedy_ko="두 단추 가운데 하나를 누르세요.",
        remedy_en="Press one of the two buttons.",
    )


def _mixed() -> Invalid:
    return Invalid(
        "finding.rules-mixed",
        ko="서로 다른 규칙의 이상징후를 한 사유로 처리할 수 없습니다.",
        en="Findings of different rules are not settled with one reason.",
        remedy_ko="같은 규칙의 것끼리 고르세요.",
        remedy_en="Choose findings of one rule.",
    )
