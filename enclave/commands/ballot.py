"""One reviewer's word, as it is cast: votes by file, judgements, comments; and what makes it whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from enclave.actor import Actor
from enclave.airlock.report import Verdict
from enclave.errors import Conflict, Denied, Invalid
from enclave.ids import new_id
from enclave.model.egress import AirlockRequest
from enclave.model.review import Review, ReviewRevision, Vote
from enclave.policy.airlock.facts import RequestFacts
from enclave.states import Decision, FileVote

# Closed list, so that the log can be counted (korea.md R68); the first is the one for approvals.
REASON_CODES = (
    "output-checked",
    "small-cell",
    "row-level",
    "identifier",
    "missing-context",
    "missing-counts",
    "file-type",
    "purpose",
    "other",
)


@dataclass(frozen=True)
class Judgements:
    """The three compulsory judgements, each in words (korea.md R46)."""

    purpose_relation: str
    identifiability: str
    safety_measures: str

    @property
    def texts(self) -> tuple[str, str, str]:
        """The three, in their order."""
        return self.purpose_relation, self.identifiability, self.safety_measures


@dataclass(frozen=True)
class Ballot:
    """One word, with what its caster looked at: `round` and `content_sha256` as the page showed them.

    `votes`: by file id; an output that is not named follows the decision. `comment`: to the author, on every group
    that has none of its own in `comments` (by group id). `override_reason`: why a blocked file may leave all the same.
    """

    decision: Decision
    round: int
    content_sha256: str
    reason_code: str
    judgements: Judgements
    comment: str = ""
    votes: Mapping[str, FileVote] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    override_reason: str = ""


def check_seen(about: RequestFacts, seen: tuple[int, str]) -> None:
    """Raise `Conflict` (`egress.content-changed`) unless `seen` (round, content hash) is what is asked for now."""
    if seen != (about.round, about.content_sha256):
        raise Conflict(
            "egress.content-changed",
            ko=f"심사한 내용과 현재 내용이 다릅니다(현재 {about.round}회차).",
            en=f"What you reviewed is no longer what is requested (now round {about.round}).",
            remedy_ko="화면을 새로 고쳐 현재 파일을 다시 심사하세요.",
            remedy_en="Reload the page and review the present files.",
        )


def spread(ballot: Ballot, about: RequestFacts) -> dict[str, FileVote]:
    """Return the vote on each output: as cast, or as the decision says.

    Raises `Invalid` (`egress.files`) for a vote on something else, `Denied` (`egress.blocked-file`) for approving a
    blocked file without a reason.
    """
    outputs = {file.id: file for file in about.outputs}
    if not set(ballot.votes) <= set(outputs):
        raise Invalid(
            "egress.files",
            ko="이번 회차의 반출 대상이 아닌 파일에 대한 의견이 있습니다.",
            en="There is a vote on something that is no output of this round.",
            remedy_ko="화면을 새로 고쳐 현재 파일을 다시 심사하세요.",
            remedy_en="Reload the page and review the present files.",
        )
    rest = FileVote.APPROVE if ballot.decision is Decision.APPROVE else FileVote.CHANGES
    votes = {file_id: ballot.votes.get(file_id, rest) for file_id in outputs}
    blocked = [file_id for file_id, file in outputs.items() if file.verdict is Verdict.BLOCK]
    if any(votes[each] is FileVote.APPROVE for each in blocked) and not ballot.override_reason.strip():
        raise Denied(
            "egress.blocked-file",
            ko="차단 판정을 받은 파일은 사유 없이 승인할 수 없습니다.",
            en="A blocked file cannot be approved without a reason.",
            remedy_ko="보완 요청이나 반려를 선택하거나, 위원회 심사를 위한 예외 사유를 적으세요.",
            remedy_en="Return or reject it, or write why a committee should let it through.",
        )
    return votes


def check_whole(ballot: Ballot) -> None:
    """Raise `Invalid` for an empty judgement (`egress.judgement-missing`) or a reason that is not on the list."""
    names = (("목적 관련성", "relation to purpose"), ("개인 식별 가능성", "identifiability"), ("안전조치", "safety"))
    empty = [name for name, text in zip(names, ballot.judgements.texts, strict=True) if not text.strip()]
    if empty:
        raise Invalid(
            "egress.judgement-missing",
            ko=f"필수 판단이 비어 있습니다: {', '.join(ko for ko, _ in empty)}",
            en=f"A compulsory judgement is empty: {', '.join(en for _, en in empty)}",
            remedy_ko="세 가지 판단을 모두 글로 적으세요.",
            remedy_en="Write all three judgements.",
        )
    if ballot.reason_code not in REASON_CODES:
        raise Invalid(
            "egress.reason-code",
            ko="결정 사유를 목록에서 고르지 않았습니다.",
            en="No reason was chosen from the list.",
            remedy_ko="목록에서 사유를 고르세요.",
            remedy_en="Choose a reason from the list.",
        )


def remarks(ballot: Ballot, groups: Iterable[str], told: Iterable[str]) -> dict[str, str]:
    """Return the comment for each group that is asked to change; `told`: groups that have a public comment already.

    Raises `Invalid` (`egress.comment-missing`) if one has none: nobody is sent back without being told what to do.
    """
    wanted = set(groups)
    found = {group: text for group, text in ballot.comments.items() if text.strip()}
    if ballot.comment.strip():
        found |= {group: ballot.comment for group in wanted if group not in found}
    if wanted - set(found) - set(told):
        raise Invalid(
            "egress.comment-missing",
            ko="보완할 묶음마다 신청자에게 보일 의견이 필요합니다.",
            en="Each group with changes needs a comment that its author can read.",
            remedy_ko="무엇을 어떻게 고치면 되는지 적으세요.",
            remedy_en="Write what to mend, and how.",
        )
    return found


def new_review(found: AirlockRequest, acting: Actor, now: datetime) -> Review:
    """Return an empty review of the present round; `fill` completes it."""
    return Review(
        id=new_id("v"),
        request_id=found.id,
        round=found.round,
        content_sha256=found.content_sha256,
        reviewer_id=acting.account_id,
        organisation_id=acting.organisation_id,
        decided_at=now,
    )


def fill(review: Review, ballot: Ballot, decision: Decision, cast: Mapping[str, FileVote], acting: Actor) -> None:
    """Write what the ballot says into its row, with one vote for each output."""
    review.decision, review.reason_code = decision, ballot.reason_code
    texts = ballot.judgements
    review.purpose_relation, review.identifiability = texts.purpose_relation, texts.identifiability
    review.safety_measures, review.override_reason = texts.safety_measures, ballot.override_reason
    if acting.second_factor_at is not None:
        review.second_factor_at = acting.second_factor_at
    held = {each.file_id: each for each in review.votes}
    for file_id, vote in cast.items():
        if file_id in held:
            held[file_id].vote = vote
        else:
            review.votes.append(Vote(file_id=file_id, vote=vote))


def keep(review: Review, now: datetime) -> None:
    """Keep what a review said before it is revised: nothing that was once decided is lost."""
    content = {
        "decision": review.decision.value,
        "reason_code": review.reason_code,
        "purpose_relation": review.purpose_relation,
        "identifiability": review.identifiability,
        "safety_measures": review.safety_measures,
        "override_reason": review.override_reason,
        "decided_at": review.decided_at.isoformat(),
        "votes": {each.file_id: each.vote.value for each in review.votes},
    }
    number = len(review.revisions) + 1
    review.revisions.append(ReviewRevision(number=number, replaced_at=now, content=content))
