"""The one transition function of the airlock: may this person do this to this request now, and where it leads.

Portal, REST, command line and notebook client all end here, and what a page offers is derived from the same function
(`allowed`), so that there is no second machine. The table of states and verbs is `enclave.states.AIRLOCK`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from enclave.actor import Actor
from enclave.errors import Conflict, Denied
from enclave.policy import ends
from enclave.policy.airlock import votes, who
from enclave.policy.airlock.facts import RequestFacts
from enclave.policy.allows import allows
from enclave.policy.people import check_second_factor_fresh
from enclave.policy.project import check_not_frozen
from enclave.states import AIRLOCK, Phase, ReleaseState, RequestState, Verb, check_transition, label

Check = Callable[[Actor, RequestFacts, datetime], None]
# Decisions on what leaves: each needs a second factor of the last five minutes.
PROVED = frozenset({Verb.REVIEW, Verb.REVISE, Verb.CONCLUDE, Verb.RETURN, Verb.REJECT})
REVIEWING = PROVED | {Verb.DECLARE}


def check(actor: Actor, request: RequestFacts, verb: Verb, now: datetime) -> None:
    """Raise unless the actor may do this now, leaving the second factor aside (see `check_proved`).

    Raises `Denied` (who) or `Conflict` (`state.transition`, `egress.not-under-review`: not in this state).
    """
    WHO[verb](actor, request, now)
    if verb not in AIRLOCK[request.state]:
        raise _not_in_this_state(request, verb)
    WHEN.get(verb, _always)(actor, request, now)


def check_proved(actor: Actor, request: RequestFacts, verb: Verb, now: datetime) -> None:
    """Raise unless the actor may do this now, with a fresh second factor where the verb decides on what leaves."""
    check(actor, request, verb, now)
    if verb in PROVED:
        check_second_factor_fresh(actor, now)


def allowed(actor: Actor, request: RequestFacts, now: datetime) -> frozenset[Verb]:
    """Return all that the actor may do to the request now; what every answer lists."""
    return frozenset(verb for verb in Verb if allows(check, actor, request, verb, now))


def check_step(before: RequestState, verb: Verb, after: RequestState, name: str) -> None:
    """Raise `Conflict` unless this verb leads from `before` to `after`: every change of state passes through this."""
    if after not in AIRLOCK[before].get(verb, frozenset()):
        check_transition({before: frozenset()}, before, after, name)


def after_review(request: RequestFacts) -> RequestState:
    """Return where the reviews given so far lead: on when all required approved everything, else nowhere yet."""
    return RequestState.APPROVED if votes.is_unanimous(request) else RequestState.SUBMITTED


def _author(actor: Actor, request: RequestFacts, now: datetime) -> None:
    """Let the requester through while they may ask; whoever only takes back needs no open project."""
    who.check_is_requester(actor, request)
    if request.frozen is not None:
        ends.check_may_ask(actor, request.frozen, now)
    else:
        who.check_may_submit(actor, request.project, request.project_state, now)
    check_not_frozen(frozen=request.project_frozen)


def _reassign(actor: Actor, request: RequestFacts, now: datetime) -> None:
    who.check_may_reassign(actor, request)
    del now


def _withdraw(actor: Actor, request: RequestFacts, now: datetime) -> None:
    who.check_may_withdraw(actor, request)
    del now


def _checker(actor: Actor, request: RequestFacts, now: datetime) -> None:
    who.check_is_checker(actor, request)
    del now


def _recall(actor: Actor, request: RequestFacts, now: datetime) -> None:
    who.check_may_recall(actor, request)
    del now


def _commenter(actor: Actor, request: RequestFacts, now: datetime) -> None:
    if actor.account_id in request.project.member_ids | {request.requester_id}:
        return
    _checker(actor, request, now)


def _system(actor: Actor, request: RequestFacts, now: datetime) -> None:
    del request, now
    if not actor.is_system:
        raise Denied(
            "egress.system-only",
            ko="시스템만 할 수 있습니다.",
            en="Only the system does this.",
            remedy_ko="기다리면 시스템이 처리합니다.",
            remedy_en="Wait; the system will do it.",
        )


def _always(actor: Actor, request: RequestFacts, now: datetime) -> None:
    del actor, request, now


def _code_was_run(request: RequestFacts) -> None:
    if request.rerunning:
        raise Conflict(
            "rerun.waiting",
            ko="제출된 코드를 다시 실행하는 중입니다. 결과가 나오면 심사할 수 있습니다.",
            en="The submitted code is still being run again; it can be reviewed once the result is there.",
            remedy_ko="몇 분 뒤 화면을 새로 고치세요. 보완 요청과 반려는 지금도 할 수 있습니다.",
            remedy_en="Reload the page in a few minutes. Returning or rejecting is possible now.",
        )


def _review(actor: Actor, request: RequestFacts, now: datetime) -> None:
    _free_place(actor, request, now)
    _code_was_run(request)


def _revise(actor: Actor, request: RequestFacts, now: datetime) -> None:
    _consolidates(actor, request, now)
    _code_was_run(request)


def _free_place(actor: Actor, request: RequestFacts, now: datetime) -> None:
    """Let a first review through: once for each person and organisation, and only while one is needed."""
    del now
    for review in votes.of_this_round(request):
        if review.reviewer_id == actor.account_id:
            raise who.refused("egress.voted", "이번 회차에 이미 심사했습니다.", "You have already voted in this round.")
        if review.organisation_id == actor.organisation_id and votes.counts(review, request):
            raise who.refused(
                "egress.two-organisations",
                "같은 기관의 심사자가 이미 심사했습니다.",
                "A checker of your organisation has already voted in this round.",
            )
    if votes.phase(request) is not Phase.INDEPENDENT:
        raise who.refused(
            "egress.enough-reviews",
            "필요한 심사가 모두 들어왔습니다.",
            "All reviews that are needed are in.",
            ("심사한 사람들이 조율하여 확정합니다.", "Those who reviewed consolidate and conclude."),
        )


def _consolidates(actor: Actor, request: RequestFacts, now: datetime) -> None:
    """Whose review counts in this round, once all needed reviews are in."""
    del now
    if actor.account_id not in {each.reviewer_id for each in votes.counting(request)}:
        raise who.refused(
            "egress.not-reviewer",
            "이번 회차를 심사한 사람만 할 수 있습니다.",
            "Only those who reviewed this round may do this.",
        )
    if votes.phase(request) is not Phase.CONSOLIDATING:
        raise who.refused(
            "egress.still-blind",
            "필요한 심사가 모두 들어온 뒤에 할 수 있습니다.",
            "This is possible once all needed reviews are in.",
            ("다른 심사자를 기다리세요.", "Wait for the other reviewers."),
        )


def _has_heir(actor: Actor, request: RequestFacts, now: datetime) -> None:
    del actor, now
    if not request.heirs:
        raise Denied(
            "egress.no-heir",
            ko="이 신청을 넘겨받을 다른 과제 참여자가 없습니다.",
            en="No other member of the project could take this request over.",
            remedy_ko="철회한 뒤 필요하면 새로 신청하세요.",
            remedy_en="Withdraw it and ask again if it is still needed.",
        )


def _conclude(actor: Actor, request: RequestFacts, now: datetime) -> None:
    _revise(actor, request, now)
    votes.check_carried(request, votes.approved_files(request))


def _sends_back(actor: Actor, request: RequestFacts, now: datetime) -> None:
    """Early by any checker with a place or a review of this round; in consolidation by its reviewers."""
    if votes.phase(request) is Phase.CONSOLIDATING:
        _consolidates(actor, request, now)
    elif actor.account_id not in {each.reviewer_id for each in votes.counting(request)}:
        _free_place(actor, request, now)


def _reopens(actor: Actor, request: RequestFacts, now: datetime) -> None:
    """Only when the decision no longer carries: a reviewer lost the right, or turned out to have an interest."""
    del actor, now
    passed = [file.id for file in request.files if file.passed]
    if allows(votes.check_carried, request, passed):
        raise who.refused(
            "egress.still-carried",
            "승인이 여전히 유효하므로 심사를 다시 열 수 없습니다.",
            "The approvals still carry the decision; there is nothing to reopen.",
            ("문제가 있으면 회수하세요.", "Recall it if something is wrong."),
        )


def _expires(actor: Actor, request: RequestFacts, now: datetime) -> None:
    del actor
    collected = request.state is RequestState.RELEASED and request.release is not ReleaseState.DONE
    if collected or request.idle_until is None or now < request.idle_until:
        raise Denied(
            "egress.not-idle",
            ko="아직 기한이 지나지 않았습니다.",
            en="Its time is not over yet.",
            remedy_ko="기한이 지나면 시스템이 정리합니다.",
            remedy_en="The system closes it when its time is over.",
        )


def _not_in_this_state(request: RequestFacts, verb: Verb) -> Conflict:
    if verb in REVIEWING:
        return who.not_under_review()
    (state_ko, state_en), (verb_ko, verb_en) = label(request.state), label(verb)
    return Conflict(
        "state.transition",
        ko=f"현재 상태가 ‘{state_ko}’이므로 ‘{verb_ko}’을(를) 할 수 없습니다.",
        en=f"The request is {state_en}; it is not possible to {verb_en}.",
        remedy_ko="화면을 새로 고쳐 현재 상태를 확인하세요.",
        remedy_en="Reload the page to see where it stands.",
    )


WHO: Mapping[Verb, Check] = {
    Verb.SAVE: _author,
    Verb.SUBMIT: _author,
    Verb.WITHDRAW: _withdraw,
    Verb.REASSIGN: _reassign,
    Verb.REVIEW: _checker,
    Verb.REVISE: _checker,
    Verb.CONCLUDE: _checker,
    Verb.RETURN: _checker,
    Verb.REJECT: _checker,
    Verb.REOPEN: _checker,
    Verb.COMMENT: _commenter,
    Verb.DECLARE: _checker,
    Verb.RELEASE: _system,
    Verb.RECALL: _recall,
    Verb.EXPIRE: _system,
}
WHEN: Mapping[Verb, Check] = {
    Verb.REVIEW: _review,
    Verb.REVISE: _revise,
    Verb.CONCLUDE: _conclude,
    Verb.RETURN: _sends_back,
    Verb.REJECT: _sends_back,
    Verb.REOPEN: _reopens,
    Verb.EXPIRE: _expires,
    Verb.REASSIGN: _has_heir,
}
