"""What reviewers do: judge blind, consolidate, conclude, send back, remark, declare a conflict (korea.md R46, R66).

Each is one step of the one machine. The decisive word records itself and the wish to release in one transaction; the
package is then made by `enclave.commands.release`, which may fail and be tried again without anybody deciding twice.
"""

from __future__ import annotations

from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import ballot as words
from enclave.commands.acting import intent, require, text_sha256
from enclave.commands.ballot import Ballot
from enclave.commands.meanwhile import check_not_overtaken
from enclave.commands.moving import ACTIONS, APPROVES, Step, approve, begin, cancel_release, move, step
from enclave.errors import Denied, NotFound
from enclave.ids import new_id
from enclave.model.review import Comment, ConflictOfInterest, Review
from enclave.policy.airlock import machine, visibility, votes
from enclave.policy.airlock.shown import check_seen_whole
from enclave.queries.airlock_facts import facts, present_files, present_round
from enclave.queries.airlock_shown import request_view
from enclave.queries.airlock_views import RequestView
from enclave.queries.sighting import load_seen
from enclave.states import Audience, Decision, FileVote, RequestState, Verb
from enclave.store import Store, Tx

OUTCOMES = {Decision.RETURN: RequestState.RETURNED, Decision.REJECT: RequestState.REJECTED}
FIRST_ACTION = {
    Decision.APPROVE: Action.EGRESS_APPROVE,
    Decision.CHANGES: Action.EGRESS_REVIEW,
    Decision.RETURN: Action.EGRESS_RETURN,
    Decision.REJECT: Action.EGRESS_REJECT,
}


def decide(store: Store, actor: Actor, *, request_id: str, vote: Ballot, now: datetime) -> RequestView:
    """Give one's word on the present round: a review (or, once all are in, its revision), a return or a rejection.

    A return or a rejection decides at once; approvals decide when all required reviewers approved every output, and
    otherwise wait to be concluded. Checkers without an interest, with a second factor of the last 5 minutes. Raises
    `Denied` (`egress.…`, `second-factor.stale`), `NotFound`, `Conflict` (decided meanwhile; the bytes changed),
    `Invalid` (a judgement or a comment is missing), `Unavailable` (nothing was decided), and `Conflict`
    (`ledger.meanwhile`) where something let out since stands against it, or (`rerun.waiting`) while code is being run.
    """
    with store.write(intent(FIRST_ACTION[vote.decision], actor, ("egress_request", request_id))) as tx:
        begun = begin(tx, actor, request_id, now)
        mine = _own_review(begun)
        verb = _verb(vote.decision, mine)
        tx.record(action=ACTIONS[begun.found.direction][verb].value)
        machine.check_proved(begun.acting, begun.about, verb, now)
        words.check_seen(begun.about, (vote.round, vote.content_sha256))
        if vote.decision not in OUTCOMES:
            check_not_overtaken(tx, begun.found, now)
        _record_word(tx, begun, vote, mine, now)
        _settle(tx, begun, vote, verb, now)
        tx.record(
            object_sha256=begun.found.content_sha256,
            reason_code=vote.reason_code,
            details={"state": begun.found.state.value, "judgements_sha256": text_sha256(*vote.judgements.texts)},
        )
        return request_view(begun.found, begun.acting, now)


def return_request(store: Store, actor: Actor, *, request_id: str, vote: Ballot, now: datetime) -> RequestView:
    """Send a request back to be mended: `decide` with a vote to return. Raises what `decide` raises."""
    if vote.decision is not Decision.RETURN:
        raise ValueError("return_request takes a vote to return")
    return decide(store, actor, request_id=request_id, vote=vote, now=now)


def conclude(store: Store, actor: Actor, *, request_id: str, seen: tuple[int, str], now: datetime) -> RequestView:
    """Let through what all required reviewers approved; the rest stays. One of the round's reviewers, proved afresh.

    `seen`: (round, content hash) as the page showed them. Raises `Denied` (`egress.nothing-approved`,
    `egress.still-blind` …), `Conflict`, `NotFound`.
    """
    with store.write(intent(Action.EGRESS_CONCLUDE, actor, ("egress_request", request_id))) as tx:
        begun = step(tx, actor, request_id, Verb.CONCLUDE, now)
        words.check_seen(begun.about, seen)
        check_not_overtaken(tx, begun.found, now)
        approve(tx, begun, Verb.CONCLUDE, now, reason=words.REASON_CODES[0])
        tx.record(object_sha256=begun.found.content_sha256, reason_code=words.REASON_CODES[0])
        return request_view(begun.found, begun.acting, now)


def reopen(store: Store, actor: Actor, *, request_id: str, now: datetime) -> RequestView:
    """Open an approved request again whose approvals no longer carry it, so that others can review. A checker.

    Raises `Denied` (`egress.still-carried`), `Conflict`, `NotFound`.
    """
    with store.write(intent(Action.EGRESS_REOPEN, actor, ("egress_request", request_id))) as tx:
        begun = step(tx, actor, request_id, Verb.REOPEN, now)
        move(begun.found, Verb.REOPEN, RequestState.SUBMITTED, now)
        cancel_release(begun.found.release)
        for file in present_files(begun.found):
            file.outcome = None
        return request_view(begun.found, begun.acting, now)


def comment(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store,
    actor: Actor,
    *,
    request_id: str,
    text: str,
    audience: Audience,
    now: datetime,
    group_id: str | None = None,
) -> RequestView:
    """Remark on the present round or one of its groups. Checkers; those who asked, publicly. It stays for good.

    Raises `Denied`, `NotFound` (`egress.no-group`), `Conflict` (nothing is open), `Invalid` (no text).
    """
    with store.write(intent(Action.EGRESS_COMMENT, actor, ("egress_request", request_id))) as tx:
        begun = step(tx, actor, request_id, Verb.COMMENT, now)
        require(("의견", "comment", text))
        if audience is not Audience.PUBLIC and visibility.is_authors_side(begun.acting, begun.about):
            raise _for_checkers_only()
        if group_id and group_id not in {each.id for each in begun.found.groups if each.round == begun.found.round}:
            raise _no_group()
        move(begun.found, Verb.COMMENT, begun.found.state, now)
        _remark(tx, begun, {group_id or "": text}, audience, now)
        tx.session.refresh(begun.found, ["comments"])
        return request_view(begun.found, begun.acting, now)


def declare_conflict(store: Store, actor: Actor, *, request_id: str, reason: str, now: datetime) -> None:
    """Say that one should not judge this request; from then on one cannot, and what one said of it does not count.

    Checkers. Raises `Denied` (already declared), `NotFound`, `Conflict` (not under review), `Invalid` (no reason).
    """
    with store.write(intent(Action.EGRESS_CONFLICT, actor, ("egress_request", request_id))) as tx:
        begun = step(tx, actor, request_id, Verb.DECLARE, now)
        require(("사유", "reason", reason))
        move(begun.found, Verb.DECLARE, begun.found.state, now)
        row = ConflictOfInterest(
            request_id=request_id, account_id=begun.acting.account_id, reason=reason, declared_at=now
        )
        tx.session.add(row)
        tx.record(details={"reason_sha256": text_sha256(reason), "had_reviewed": _own_review(begun) is not None})


def _own_review(begun: Step) -> Review | None:
    mine = (each for each in begun.found.reviews if each.reviewer_id == begun.acting.account_id)
    return next((each for each in mine if each.round == begun.found.round), None)


def _verb(decision: Decision, mine: Review | None) -> Verb:
    if decision is Decision.RETURN:
        return Verb.RETURN
    if decision is Decision.REJECT:
        return Verb.REJECT
    return Verb.REVIEW if mine is None else Verb.REVISE


def _record_word(tx: Tx, begun: Step, vote: Ballot, mine: Review | None, now: datetime) -> None:
    """Write the review with its votes and comments; a revision keeps what it replaces."""
    found, acting = begun.found, begun.acting
    cast = words.spread(vote, begun.about)
    _check_seen_whole(tx, begun, cast)
    words.check_whole(vote)
    said = words.remarks(vote, _groups_to_mend(begun, cast), _told(begun))
    if mine is not None:
        words.keep(mine, now)
    review = mine or words.new_review(found, acting, now)
    decision = vote.decision if vote.decision in OUTCOMES else votes.overall(cast.values())
    words.fill(review, vote, decision, cast, acting)
    review.decided_at = now
    if mine is None:
        found.reviews.append(review)
    _remark(tx, begun, said, Audience.PUBLIC, now)
    current = present_round(found)
    if current is not None and current.first_review_at is None:
        current.first_review_at = now
    tx.session.flush()
    tx.session.refresh(found, ["reviews", "comments"])
    tx.record(details={"approves": sum(each is FileVote.APPROVE for each in cast.values()), "outputs": len(cast)})


def _check_seen_whole(tx: Tx, begun: Step, cast: dict[str, FileVote]) -> None:
    """Raise `Denied` (`egress.not-shown`) for approving what was not on this person's screen, all of it.

    Of an output that names its code the code too: that it was run again says nothing of what it does.
    """
    files = present_files(begun.found)
    approved = [file for file in files if cast.get(file.id) is FileVote.APPROVE]
    code = {file.code for file in approved} - {""}
    wanted = {file.id for file in approved} | {file.id for file in files if file.name in code}
    seen = load_seen(tx.session, begun.acting.account_id, begun.found.id)
    check_seen_whole(wanted, seen, {file.id: number for number, file in enumerate(files, 1)})


def _settle(tx: Tx, begun: Step, vote: Ballot, verb: Verb, now: datetime) -> None:
    """Draw the consequence of the reviews of this round, if there is one."""
    found = begun.found
    if vote.decision in OUTCOMES:
        move(found, verb, OUTCOMES[vote.decision], now, reason=vote.reason_code)
        return
    about = facts(found, now)
    mine = next(each for each in votes.of_this_round(about) if each.reviewer_id == begun.acting.account_id)
    if mine.decision is Decision.APPROVE and verb is Verb.REVIEW:
        tx.record(action=APPROVES[found.direction].value)
    if machine.after_review(about) is RequestState.APPROVED:
        approve(tx, begun, verb, now, reason=vote.reason_code)
    else:
        move(found, verb, RequestState.SUBMITTED, now)


def _groups_to_mend(begun: Step, cast: dict[str, FileVote]) -> set[str]:
    """Return the groups that hold an output this word asks to change."""
    return {file.group_id for file in begun.about.outputs if cast[file.id] is FileVote.CHANGES}


def _told(begun: Step) -> set[str]:
    """Return the groups on which this reviewer has already remarked publicly in this round."""
    return {
        each.group_id or ""
        for each in begun.found.comments
        if (each.round, each.author_id, each.audience) == (begun.found.round, begun.acting.account_id, Audience.PUBLIC)
    }


def _remark(tx: Tx, begun: Step, said: dict[str, str], audience: Audience, now: datetime) -> None:
    known = {each.id for each in begun.found.groups if each.round == begun.found.round}
    for group_id, text in said.items():
        row = Comment(
            id=new_id("m"),
            request_id=begun.found.id,
            round=begun.found.round,
            group_id=group_id if group_id in known else None,
            author_id=begun.acting.account_id,
            audience=audience,
            text=text,
            made_at=now,
        )
        tx.session.add(row)
    if said:
        tx.record(details={"comments": len(said), "comments_sha256": text_sha256(*said.values())})


def _for_checkers_only() -> Denied:
    return Denied(
        "egress.audience",
        ko="신청자 쪽의 의견은 모두에게 보입니다.",
        en="Comments of those who asked are read by everybody.",
        remedy_ko="공개 의견으로 남기세요.",
        remedy_en="Make it a public comment.",
    )


def _no_group() -> NotFound:
    return NotFound(
        "egress.no-group",
        ko="이번 회차에 그런 묶음이 없습니다.",
        en="This round has no such group.",
        remedy_ko="화면을 새로 고치세요.",
        remedy_en="Reload the page.",
    )
