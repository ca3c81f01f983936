"""Counting: which reviews count, in which phase a round is, and which files they let through. Pure.

Two people, two organisations, one hash: a review counts only for the bytes and the round it was given for, while its
author is entitled and disinterested, and once for each organisation.
"""

from __future__ import annotations

from collections.abc import Iterable

from enclave.airlock.report import Verdict
from enclave.errors import Denied
from enclave.policy.airlock.facts import RequestFacts, ReviewFacts
from enclave.policy.airlock.reviewers import FileFacts, Need, needed
from enclave.states import Decision, Direction, FileDecision, FileVote, Phase, RequestState


def need(request: RequestFacts) -> Need:
    """Return how many reviewers this round needs, and why."""
    incoming = request.direction is Direction.IMPORT
    return needed(request.files, request.rules, overseas=request.overseas, incoming=incoming)


def of_this_round(request: RequestFacts) -> list[ReviewFacts]:
    """Return the reviews of these very bytes in this round, whether they count or not."""
    now = (request.round, request.content_sha256)
    return [each for each in request.reviews if (each.round, each.content_sha256) == now]


def counting(request: RequestFacts) -> list[ReviewFacts]:
    """Return the reviews that count, one for each organisation, in the order they were given."""
    found: dict[str, ReviewFacts] = {}
    for each in of_this_round(request):
        if counts(each, request):
            found.setdefault(each.organisation_id, each)
    return list(found.values())


def counts(review: ReviewFacts, request: RequestFacts) -> bool:
    """Return whether its author is (still) entitled, disinterested, outside the project and its organisations."""
    outside = review.reviewer_id not in request.insiders and review.organisation_id not in request.own_organisations
    return outside and review.entitled and not review.conflicted


def phase(request: RequestFacts) -> Phase:
    """Return who sees what now. It follows from the reviews that count, so no event can be missed."""
    if request.state in {RequestState.DRAFT, RequestState.RETURNED}:
        return Phase.AUTHOR
    if request.state is not RequestState.SUBMITTED:
        return Phase.COMPLETE
    return Phase.CONSOLIDATING if len(counting(request)) >= need(request).reviewers else Phase.INDEPENDENT


def decision_on(file: FileFacts, request: RequestFacts) -> FileDecision:
    """Return what the counting reviews amount to for one file."""
    reviews, enough = counting(request), need(request).reviewers
    votes = [vote_on(file, each) for each in reviews]
    if len(reviews) < enough:
        return FileDecision.INCOMPLETE
    if all(vote is FileVote.APPROVE for vote in votes) and not _missing_override(file, reviews):
        return FileDecision.APPROVED
    return FileDecision.CONFLICTED if FileVote.APPROVE in votes else FileDecision.CHANGES


def vote_on(file: FileFacts, review: ReviewFacts) -> FileVote | None:
    """Return a review's word on a file; None for one given before what is known of the file by now was found out."""
    if file.told_at is not None and review.given_at is not None and review.given_at < file.told_at:
        return None
    return review.files.get(file.id)


def approved_files(request: RequestFacts) -> frozenset[str]:
    """Return the outputs that all required reviewers approved: what may leave, and nothing else, ever."""
    return frozenset(file.id for file in request.outputs if decision_on(file, request) is FileDecision.APPROVED)


def check_carried(request: RequestFacts, file_ids: Iterable[str]) -> None:
    """Raise `Denied` unless the reviews that count now let every one of these files through.

    `egress.two-person` when too few or none approve, `egress.nothing-approved` for no file at all. Asked when a
    decision is made and again before anything is packed.
    """
    wanted, number = frozenset(file_ids), need(request).reviewers
    if not wanted:
        raise _nothing_approved()
    if not wanted <= approved_files(request):
        have = len(counting(request))
        raise Denied(
            "egress.two-person",
            ko=f"서로 다른 기관의 심사자 {number}명의 승인이 필요합니다(현재 유효한 심사 {have}건).",
            en=f"Approvals of {number} checkers of different organisations are needed (now {have} that count).",
            remedy_ko="이해관계가 없는 다른 기관의 심사자에게 넘기세요.",
            remedy_en="Leave it to a disinterested checker of another organisation.",
        )


def check_still_carried(request: RequestFacts) -> None:
    """Raise `Denied` (`release.not-carried`) unless what was let through is still carried, when it is handed over.

    Days may lie between the package and its receiver; meanwhile a reviewer can lose the role or join the project.
    """
    try:
        check_carried(request, [file.id for file in request.files if file.passed])
    except Denied:
        raise Denied(
            "release.not-carried",
            ko="승인한 심사자의 자격이나 이해관계가 바뀌어 승인이 더 이상 유효하지 않습니다. 전달하지 않았습니다.",
            en="The approvals no longer carry: a reviewer lost the role or has an interest. Nothing was handed over.",
            remedy_ko="같은 파일로 반출을 다시 신청하세요. 심사자나 제공기관 데이터 관리자는 이 반출물을 회수하세요.",
            remedy_en="Ask again for the same files; a checker or a steward of the provider recalls this release.",
        ) from None


def is_unanimous(request: RequestFacts) -> bool:
    """Return whether every output is approved by all required: then there is nothing to consolidate."""
    return bool(request.outputs) and approved_files(request) == {file.id for file in request.outputs}


def overall(votes: Iterable[FileVote]) -> Decision:
    """Return what one reviewer's votes on the outputs amount to."""
    return Decision.APPROVE if set(votes) == {FileVote.APPROVE} else Decision.CHANGES


def _missing_override(file: FileFacts, reviews: Iterable[ReviewFacts]) -> bool:
    return file.verdict is Verdict.BLOCK and not all(each.overrides for each in reviews)


def _nothing_approved() -> Denied:
    return Denied(
        "egress.nothing-approved",
        ko="모든 심사자가 승인한 파일이 없습니다. 승인되지 않은 파일은 나가지 않습니다.",
        en="No file was approved by all reviewers. What is not approved stays.",
        remedy_ko="보완을 요청하거나 반려하세요.",
        remedy_en="Return or reject the request.",
    )
