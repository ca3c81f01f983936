"""What the airlock's rules are asked about: a request, its files and its reviews, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from enclave.airlock.report import Verdict
from enclave.policy.airlock.reviewers import FileFacts, ReviewerRules
from enclave.policy.ends import FrozenFacts
from enclave.policy.project import ProjectFacts
from enclave.states import Decision, Direction, FileRole, FileVote, ProjectState, ReleaseState, RequestState


@dataclass(frozen=True)
class ReviewFacts:
    """One review as it stands in the database, with the standing its author has now.

    `files`: the word on each file by the file's id. `entitled`: whether its author may still check outputs.
    `conflicted`: whether they have declared a conflict of interest. `overrides`: whether they said in words why a
    blocked file may leave. `given_at`: when it was given, or last revised.
    """

    reviewer_id: str
    organisation_id: str
    round: int
    content_sha256: str
    decision: Decision
    files: Mapping[str, FileVote] = field(default_factory=dict)
    entitled: bool = True
    conflicted: bool = False
    overrides: bool = False
    given_at: datetime | None = None


@dataclass(frozen=True)
class RequestFacts:
    """What policies ask about a request. `reviews` are those of all rounds, `files` those of this round.

    `requester_organisation_id` is where the requester belongs; the project may belong to another organisation.
    `askers`: everybody who submitted a round of it, `asking`: their organisations and the receiver's; a request that
    was handed to somebody else stays theirs.
    `requester_here`: whether the requester may still act for this project; `heirs`: the other members who may.
    `frozen`: the requester's workspace, if it is frozen: out of it may still be asked. `project_frozen`: the whole
    project is, and nothing goes out. `idle_until`: when a draft, a returned or an uncollected request expires (None: it
    does not). `rerunning`: code of this round is still to be run.
    """

    direction: Direction
    state: RequestState
    round: int
    content_sha256: str
    requester_id: str
    requester_organisation_id: str
    receiver_id: str
    project: ProjectFacts
    project_state: ProjectState
    requester_here: bool = True
    heirs: frozenset[str] = frozenset()
    frozen: FrozenFacts | None = None
    project_frozen: bool = False
    reviews: tuple[ReviewFacts, ...] = ()
    files: tuple[FileFacts, ...] = ()
    conflicted: frozenset[str] = frozenset()
    rules: ReviewerRules = field(default_factory=ReviewerRules)
    overseas: bool = False
    askers: frozenset[str] = frozenset()
    asking: frozenset[str] = frozenset()
    release: ReleaseState | None = None
    idle_until: datetime | None = None
    rerunning: bool = False

    @property
    def outputs(self) -> tuple[FileFacts, ...]:
        """The files that would go through; supporting files and code never do on the way out."""
        return tuple(file for file in self.files if file.role is FileRole.OUTPUT)

    @property
    def insiders(self) -> frozenset[str]:
        """The accounts that may not judge it: members, whoever asked, whoever receives."""
        return self.project.member_ids | {self.requester_id, self.receiver_id, self.project.lead_id} | self.askers

    @property
    def own_organisations(self) -> frozenset[str]:
        """The organisations whose people may not judge it: of whoever asked or receives, and the project's."""
        return self.asking | {self.requester_organisation_id, self.project.organisation_id}

    @property
    def verdicts(self) -> frozenset[Verdict]:
        """The verdicts of the files of this round."""
        return frozenset(file.verdict for file in self.files)
