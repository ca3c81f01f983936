"""What pages and programs are shown of requests and releases: frozen values, already as far as this person may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from enclave.airlock.report import Evidence, Severity, Verdict
from enclave.states import (
    Audience,
    Decision,
    Direction,
    FileDecision,
    FileRole,
    FileVote,
    Phase,
    ReleaseState,
    RequestState,
)


@dataclass(frozen=True)
class FindingView:
    """One rule a file hit; `sample` is masked. `repairs`: ids of what would mend it."""

    rule: str
    severity: Severity
    ko: str
    en: str
    place: str
    sample: str
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileView:
    """One file of one round. `name` comes from a workspace: escape it. `size` in bytes.

    `decision` is what this person may know of the votes; `my_vote` their own. `passed`: the round's decision let it
    through (None before it). `carried`: its report was taken over from the round before, nothing of it changed.
    `evidence`: what the system found out itself, for checkers alone.
    """

    id: str
    round: int
    group_id: str
    name: str
    sha256: str
    size: int
    role: FileRole
    kind: str
    rows: int | None
    columns: int | None
    verdict: Verdict
    recomputed: bool
    recipe: str
    code: str
    description: str
    statistic: str
    subjects: int | None
    smallest_cell: int | None
    carried: bool
    passed: bool | None
    decision: FileDecision | None
    my_vote: FileVote | None
    findings: tuple[FindingView, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class GroupView:
    """Files that share their context and the controls applied to them."""

    id: str
    round: int
    name: str
    context: str
    controls: str


@dataclass(frozen=True, kw_only=True)
class ReviewView:
    """One review with its three judgements; `votes` by file id, empty for the author's side."""

    reviewer_id: str
    reviewer_login: str
    organisation_id: str
    round: int
    content_sha256: str
    decision: Decision
    reason_code: str
    purpose_relation: str
    identifiability: str
    safety_measures: str
    override_reason: str
    votes: Mapping[str, FileVote]
    revisions: int
    counts: bool
    decided_at: datetime


@dataclass(frozen=True, kw_only=True)
class CommentView:
    """One remark on a round, or on one of its groups."""

    id: str
    round: int
    group_id: str
    author_id: str
    author_login: str
    from_author: bool
    audience: Audience
    text: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class RoundView:
    """One turn: what was asked in it, its clock (Korean working days), and how it ended."""

    round: int
    content_sha256: str
    purpose: str
    context: str
    details: Mapping[str, Any]
    reviewers_needed: int
    need_reasons: tuple[str, ...]
    policy_version: str | None
    policy_parts: tuple[tuple[str, str], ...]
    submitted_at: datetime
    due_at: datetime
    escalate_at: datetime
    first_review_at: datetime | None
    ended_at: datetime | None
    ended_as: RequestState | None


@dataclass(frozen=True)
class FileChange:
    """What became of one file between the round before and this one: `added`, `removed`, `changed` or `same`."""

    name: str
    change: str
    before_id: str | None
    after_id: str | None


@dataclass(frozen=True, kw_only=True)
class ReceiptView:
    """One receiver of a recalled release, and whether they said that their copies are gone."""

    account_id: str
    login: str
    told_at: datetime
    due_at: datetime
    confirmed_at: datetime | None
    statement: str | None
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class ReleaseView:
    """What became of an approval. The words of a recall are for those who may see the request or recall it."""

    id: str
    request_id: str
    project_id: str
    state: ReleaseState
    receiver_id: str
    receiver_login: str
    package_sha256: str | None
    failure: str | None
    requested_at: datetime
    built_at: datetime | None
    expires_at: datetime | None
    handed_over_at: datetime | None
    recalled_at: datetime | None
    recall_reason: str | None
    receipts: tuple[ReceiptView, ...]
    may: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class RequestView:
    """One request as this person may see it. `files` and `groups` of the present round, `earlier_*` of those before.

    `reviews_in` counts the reviews that count, whatever they say; `conflicted` are the logins of checkers who declared
    a conflict. `queue_position`: how many wait as long or longer, itself included; None unless it is under review.
    `changes` compares with the round before. `reruns`: code that is run again, and how far that is (waiting, running,
    done). `may`: the verbs (`enclave.states.Verb`) this person may use now.
    """

    id: str
    direction: Direction
    project_id: str
    project_title: str
    project_purpose: str
    requester_id: str
    requester_login: str
    requester_organisation_id: str
    receiver_login: str
    state: RequestState
    phase: Phase
    round: int
    content_sha256: str
    purpose: str
    context: str
    details: Mapping[str, Any]
    draft: Mapping[str, Any] | None
    created_at: datetime
    submitted_at: datetime
    decided_at: datetime | None
    decided_reason: str | None
    due_at: datetime | None
    due_on: date | None
    overdue: bool
    groups: tuple[GroupView, ...]
    files: tuple[FileView, ...]
    earlier_groups: tuple[GroupView, ...]
    earlier_files: tuple[FileView, ...]
    changes: tuple[FileChange, ...]
    rounds: tuple[RoundView, ...]
    reviews: tuple[ReviewView, ...]
    comments: tuple[CommentView, ...]
    conflicted: tuple[str, ...]
    reviews_in: int
    reviewers_needed: int
    need_reasons: tuple[str, ...]
    queue_position: int | None
    release: ReleaseView | None
    may: frozenset[str]
    reruns: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict of the present round."""
        return worst(file.verdict for file in self.files)


@dataclass(frozen=True, kw_only=True)
class RequestRow:
    """One line of a list of requests. `purpose` is empty for whoever may not read the request (an operator, say).

    `due_on`: the Korean day on which the working days for a decision end; it and `queue_position` only under review.
    `may`: the verbs this person may use now.
    """

    id: str
    direction: Direction
    project_id: str
    project_title: str
    requester_login: str
    state: RequestState
    round: int
    purpose: str
    submitted_at: datetime
    due_at: datetime | None
    due_on: date | None
    queue_position: int | None
    file_count: int
    verdict: Verdict
    may: frozenset[str]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest of these verdicts; PASS for none."""
    return max(verdicts, key=list(Verdict).index, default=Verdict.PASS)
