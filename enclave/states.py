"""What may follow what: the states of everything that changes, as data.

Commands, the diagrams in `docs/reference/` and the tests read these tables; there is no second place.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from enclave.errors import Conflict
from enclave.state_words import LABELS


class ProjectState(StrEnum):
    """An application and what becomes of it."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    ACTIVE = "active"
    ENDED = "ended"


class Direction(StrEnum):
    """Which way files go through the airlock: one machine for both."""

    EGRESS = "egress"
    IMPORT = "import"


class RequestState(StrEnum):
    """A request to let files through the airlock (반출·반입 신청)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    RECALLED = "recalled"


class Verb(StrEnum):
    """What can be done to a request; `expire` and `release` are the system's."""

    SAVE = "save"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    REASSIGN = "reassign"
    REVIEW = "review"
    REVISE = "revise"
    CONCLUDE = "conclude"
    RETURN = "return"
    REJECT = "reject"
    REOPEN = "reopen"
    COMMENT = "comment"
    DECLARE = "declare"
    RELEASE = "release"
    RECALL = "recall"
    EXPIRE = "expire"


class Phase(StrEnum):
    """Who sees what of a round: the author writes, reviewers judge blind, then see each other, then all is open."""

    AUTHOR = "author"
    INDEPENDENT = "independent"
    CONSOLIDATING = "consolidating"
    COMPLETE = "complete"


class FileRole(StrEnum):
    """What a file is to its request. Only outputs leave; the others are shown to checkers."""

    OUTPUT = "output"
    SUPPORTING = "supporting"
    CODE = "code"


class FileVote(StrEnum):
    """One reviewer's word on one file."""

    APPROVE = "approve"
    CHANGES = "changes"


class FileDecision(StrEnum):
    """What the votes on one file amount to; to the author a conflict is shown as a wish for changes."""

    APPROVED = "approved"
    CHANGES = "changes"
    CONFLICTED = "conflicted"
    INCOMPLETE = "incomplete"


class Audience(StrEnum):
    """Who may read a comment."""

    PUBLIC = "public"
    CHECKERS = "checkers"


class ReleaseState(StrEnum):
    """The outside effect of an approval: package written, handed over once, perhaps recalled."""

    REQUESTED = "requested"
    DONE = "done"
    FAILED = "failed"
    HANDED_OVER = "handed_over"
    RECALLED = "recalled"
    CANCELLED = "cancelled"


class WorkspaceState(StrEnum):
    """One person's workspace in one project."""

    REQUESTED = "requested"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    FROZEN = "frozen"
    DESTROYED = "destroyed"


class FreezeCause(StrEnum):
    """Why a workspace is frozen. All but an incident begin the grace that ends with destruction."""

    PERIOD = "period"
    PROJECT = "project"
    ACCOUNT = "account"
    INCIDENT = "incident"


class SnapshotState(StrEnum):
    """Whether new projects and workspaces may use a snapshot: not before its reviews are done and decided on."""

    RECEIVED = "received"
    RETURNED = "returned"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class SampleState(StrEnum):
    """Where the review of a sample of texts stands."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"


class LeaseState(StrEnum):
    """One person's turn at a GPU: in the queue, held, being taken away, over."""

    WAITING = "waiting"
    GRANTED = "granted"
    ENDING = "ending"
    ENDED = "ended"


class DeviceState(StrEnum):
    """Whether a GPU may be given to the next person: not before its memory was erased and found clean."""

    DIRTY = "dirty"
    READY = "ready"
    QUARANTINED = "quarantined"


class ColumnState(StrEnum):
    """What the providing organisation's steward said about one column for one project."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class Decision(StrEnum):
    """One output checker's word on the whole request; `changes` is recorded when they approve some files only."""

    APPROVE = "approve"
    CHANGES = "changes"
    RETURN = "return"
    REJECT = "reject"


class DrillState(StrEnum):
    """One attack drill on the running system."""

    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class DrillReason(StrEnum):
    """Why a drill runs."""

    INSTALL = "install"
    DAILY = "daily"
    ASKED = "asked"
    CONSOLE = "console"


class PolicyState(StrEnum):
    """One version of a provider's policy for the airlock."""

    PROPOSED = "proposed"
    REPLAYED = "replayed"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class FindingState(StrEnum):
    """An anomaly of the log's review, and the word of whom it concerns (소명)."""

    RAISED = "raised"
    ASKED = "asked"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    ESCALATED = "escalated"


class PeriodState(StrEnum):
    """A stretch of the log that is reviewed and signed as one."""

    OPEN = "open"
    CLOSED = "closed"
    REVIEWED = "reviewed"
    SIGNED = "signed"


class IncidentState(StrEnum):
    """What was reported as a leak, or as a possible one (korea.md R88)."""

    OPEN = "open"
    FILED = "filed"
    CLOSED = "closed"
    DISMISSED = "dismissed"


S = TypeVar("S", bound=StrEnum)

PROJECT: Mapping[ProjectState, frozenset[ProjectState]] = {
    ProjectState.DRAFT: frozenset({ProjectState.SUBMITTED}),
    ProjectState.SUBMITTED: frozenset({ProjectState.RETURNED, ProjectState.APPROVED, ProjectState.REJECTED}),
    ProjectState.RETURNED: frozenset({ProjectState.SUBMITTED}),
    ProjectState.APPROVED: frozenset({ProjectState.ACTIVE, ProjectState.ENDED}),
    ProjectState.ACTIVE: frozenset({ProjectState.ENDED}),
    ProjectState.REJECTED: frozenset(),
    ProjectState.ENDED: frozenset(),
}

# The one table of the airlock, for both directions: in which state which verb leads where.
# Who may use a verb, and when, is said in `enclave.policy.airlock.machine`, which reads this table.
AIRLOCK: Mapping[RequestState, Mapping[Verb, frozenset[RequestState]]] = {
    RequestState.DRAFT: {
        Verb.SAVE: frozenset({RequestState.DRAFT}),
        Verb.SUBMIT: frozenset({RequestState.SUBMITTED}),
        Verb.WITHDRAW: frozenset({RequestState.WITHDRAWN}),
        Verb.REASSIGN: frozenset({RequestState.DRAFT}),
        Verb.EXPIRE: frozenset({RequestState.EXPIRED}),
    },
    RequestState.SUBMITTED: {
        Verb.REVIEW: frozenset({RequestState.SUBMITTED, RequestState.APPROVED}),
        Verb.REVISE: frozenset({RequestState.SUBMITTED, RequestState.APPROVED}),
        Verb.CONCLUDE: frozenset({RequestState.APPROVED}),
        Verb.RETURN: frozenset({RequestState.RETURNED}),
        Verb.REJECT: frozenset({RequestState.REJECTED}),
        Verb.COMMENT: frozenset({RequestState.SUBMITTED}),
        Verb.DECLARE: frozenset({RequestState.SUBMITTED}),
        Verb.WITHDRAW: frozenset({RequestState.WITHDRAWN}),
        Verb.REASSIGN: frozenset({RequestState.SUBMITTED}),
    },
    RequestState.RETURNED: {
        Verb.SAVE: frozenset({RequestState.RETURNED}),
        Verb.SUBMIT: frozenset({RequestState.SUBMITTED}),
        Verb.COMMENT: frozenset({RequestState.RETURNED}),
        Verb.WITHDRAW: frozenset({RequestState.WITHDRAWN}),
        Verb.REASSIGN: frozenset({RequestState.RETURNED}),
        Verb.EXPIRE: frozenset({RequestState.EXPIRED}),
    },
    RequestState.APPROVED: {
        Verb.RELEASE: frozenset({RequestState.RELEASED}),
        Verb.REOPEN: frozenset({RequestState.SUBMITTED}),
        Verb.WITHDRAW: frozenset({RequestState.WITHDRAWN}),
        Verb.REASSIGN: frozenset({RequestState.APPROVED}),
        Verb.RECALL: frozenset({RequestState.RECALLED}),
        Verb.EXPIRE: frozenset({RequestState.EXPIRED}),
    },
    RequestState.RELEASED: {
        Verb.RECALL: frozenset({RequestState.RECALLED}),
        Verb.EXPIRE: frozenset({RequestState.EXPIRED}),
    },
    RequestState.REJECTED: {},
    RequestState.WITHDRAWN: {},
    RequestState.EXPIRED: {},
    RequestState.RECALLED: {},
}
# What was let through stays so until somebody recalls it; nobody has to do anything any more.
SETTLED = frozenset(
    {
        RequestState.RELEASED,
        RequestState.REJECTED,
        RequestState.WITHDRAWN,
        RequestState.EXPIRED,
        RequestState.RECALLED,
    }
)

PHASE: Mapping[Phase, frozenset[Phase]] = {
    Phase.AUTHOR: frozenset({Phase.INDEPENDENT, Phase.COMPLETE}),
    Phase.INDEPENDENT: frozenset({Phase.CONSOLIDATING, Phase.AUTHOR, Phase.COMPLETE}),
    # Back to independent when a reviewer's word no longer counts (a conflict declared, a role lost).
    Phase.CONSOLIDATING: frozenset({Phase.INDEPENDENT, Phase.AUTHOR, Phase.COMPLETE}),
    # Only a decision that no longer carries is opened again.
    Phase.COMPLETE: frozenset({Phase.INDEPENDENT}),
}

RELEASE: Mapping[ReleaseState, frozenset[ReleaseState]] = {
    ReleaseState.REQUESTED: frozenset(
        {ReleaseState.DONE, ReleaseState.FAILED, ReleaseState.RECALLED, ReleaseState.CANCELLED}
    ),
    ReleaseState.DONE: frozenset({ReleaseState.HANDED_OVER, ReleaseState.RECALLED, ReleaseState.CANCELLED}),
    ReleaseState.FAILED: frozenset({ReleaseState.DONE, ReleaseState.RECALLED, ReleaseState.CANCELLED}),
    ReleaseState.HANDED_OVER: frozenset({ReleaseState.RECALLED}),
    ReleaseState.RECALLED: frozenset(),
    # Withdrawn by its author, reopened, or never collected: it may be asked for once more by a new approval.
    ReleaseState.CANCELLED: frozenset({ReleaseState.REQUESTED}),
}

# A workspace outlives its starts: the home stays, so `requested` may follow anything but the end of its project.
# It may follow itself and `running` too: a hub that died could not tell us what became of the last start.
WORKSPACE: Mapping[WorkspaceState, frozenset[WorkspaceState]] = {
    WorkspaceState.REQUESTED: frozenset(WorkspaceState) - {WorkspaceState.DESTROYED},
    WorkspaceState.RUNNING: frozenset(
        {WorkspaceState.REQUESTED, WorkspaceState.STOPPED, WorkspaceState.FAILED, WorkspaceState.FROZEN}
    ),
    WorkspaceState.STOPPED: frozenset({WorkspaceState.REQUESTED, WorkspaceState.FROZEN}),
    WorkspaceState.FAILED: frozenset({WorkspaceState.REQUESTED, WorkspaceState.FROZEN}),
    # Back to `stopped` only when an incident is over (`enclave.policy.ends`).
    WorkspaceState.FROZEN: frozenset({WorkspaceState.STOPPED, WorkspaceState.DESTROYED}),
    WorkspaceState.DESTROYED: frozenset(),
}

SNAPSHOT: Mapping[SnapshotState, frozenset[SnapshotState]] = {
    SnapshotState.RECEIVED: frozenset({SnapshotState.PUBLISHED, SnapshotState.RETURNED, SnapshotState.WITHDRAWN}),
    # What was sent back is built again, and is then another snapshot.
    SnapshotState.RETURNED: frozenset(),
    SnapshotState.PUBLISHED: frozenset({SnapshotState.WITHDRAWN}),
    SnapshotState.WITHDRAWN: frozenset(),
}

SAMPLE: Mapping[SampleState, frozenset[SampleState]] = {
    SampleState.OPEN: frozenset({SampleState.PASSED, SampleState.FAILED}),
    SampleState.PASSED: frozenset(),
    SampleState.FAILED: frozenset(),
}

# Ending is a state of its own: until nothing can run with the device any more, nobody else may have it.
LEASE: Mapping[LeaseState, frozenset[LeaseState]] = {
    LeaseState.WAITING: frozenset({LeaseState.GRANTED, LeaseState.ENDED}),
    LeaseState.GRANTED: frozenset({LeaseState.ENDING}),
    LeaseState.ENDING: frozenset({LeaseState.ENDED}),
    LeaseState.ENDED: frozenset(),
}

DEVICE: Mapping[DeviceState, frozenset[DeviceState]] = {
    DeviceState.DIRTY: frozenset({DeviceState.READY, DeviceState.QUARANTINED}),
    DeviceState.READY: frozenset({DeviceState.DIRTY}),
    DeviceState.QUARANTINED: frozenset({DeviceState.DIRTY}),
}

DRILL: Mapping[DrillState, frozenset[DrillState]] = {
    DrillState.REQUESTED: frozenset({DrillState.RUNNING, DrillState.FAILED}),
    DrillState.RUNNING: frozenset({DrillState.DONE, DrillState.FAILED}),
    DrillState.DONE: frozenset(),
    DrillState.FAILED: frozenset(),
}

# Nothing becomes active that was not replayed on every decided request; what was active once stays readable for good.
POLICY: Mapping[PolicyState, frozenset[PolicyState]] = {
    PolicyState.PROPOSED: frozenset({PolicyState.REPLAYED, PolicyState.WITHDRAWN}),
    PolicyState.REPLAYED: frozenset({PolicyState.ACTIVE, PolicyState.WITHDRAWN}),
    PolicyState.ACTIVE: frozenset({PolicyState.SUPERSEDED}),
    PolicyState.SUPERSEDED: frozenset(),
    PolicyState.WITHDRAWN: frozenset(),
}

# Who does not answer is escalated; an answer may be asked about again. Nothing is accepted unheard.
FINDING: Mapping[FindingState, frozenset[FindingState]] = {
    FindingState.RAISED: frozenset({FindingState.ASKED}),
    FindingState.ASKED: frozenset({FindingState.ANSWERED, FindingState.ESCALATED}),
    FindingState.ANSWERED: frozenset({FindingState.ASKED, FindingState.ACCEPTED, FindingState.ESCALATED}),
    FindingState.ACCEPTED: frozenset(),
    FindingState.ESCALATED: frozenset(),
}

# The approver may send what the reviewer signed back; what both signed stays.
PERIOD: Mapping[PeriodState, frozenset[PeriodState]] = {
    PeriodState.OPEN: frozenset({PeriodState.CLOSED}),
    PeriodState.CLOSED: frozenset({PeriodState.REVIEWED}),
    PeriodState.REVIEWED: frozenset({PeriodState.SIGNED, PeriodState.CLOSED}),
    PeriodState.SIGNED: frozenset(),
}


# A dismissed incident may turn out to be one after all.
INCIDENT: Mapping[IncidentState, frozenset[IncidentState]] = {
    IncidentState.OPEN: frozenset({IncidentState.FILED, IncidentState.DISMISSED}),
    IncidentState.FILED: frozenset({IncidentState.CLOSED}),
    IncidentState.CLOSED: frozenset(),
    IncidentState.DISMISSED: frozenset({IncidentState.OPEN}),
}


def targets(table: Mapping[S, Mapping[Verb, frozenset[S]]]) -> Mapping[S, frozenset[S]]:
    """Return which states may follow which, whatever the verb."""
    return {before: frozenset().union(*verbs.values()) - {before} for before, verbs in table.items()}


# Name of the table in the diagrams' file names.
TABLES: Mapping[str, Mapping[StrEnum, frozenset[StrEnum]]] = {
    "project": PROJECT,  # type: ignore[dict-item]  # Mapping is invariant in its key
    "airlock": targets(AIRLOCK),  # type: ignore[arg-type]
    "airlock-phase": PHASE,  # type: ignore[dict-item]
    "release": RELEASE,  # type: ignore[dict-item]
    "workspace": WORKSPACE,  # type: ignore[dict-item]
    "snapshot": SNAPSHOT,  # type: ignore[dict-item]
    "text-sample": SAMPLE,  # type: ignore[dict-item]
    "lease": LEASE,  # type: ignore[dict-item]
    "device": DEVICE,  # type: ignore[dict-item]
    "drill": DRILL,  # type: ignore[dict-item]
    "policy": POLICY,  # type: ignore[dict-item]
    "finding": FINDING,  # type: ignore[dict-item]
    "period": PERIOD,  # type: ignore[dict-item]
    "incident": INCIDENT,  # type: ignore[dict-item]
}


def label(state: StrEnum) -> tuple[str, str]:
    """Return (Korean, English) for any state of this module."""
    return LABELS[type(state).__name__][state.value]


def check_transition(table: Mapping[S, frozenset[S]], before: S, after: S, what: str) -> None:
    """Raise `Conflict` (code `state.transition`) unless `after` may follow `before`; `what` names the thing."""
    if after in table[before]:
        return
    (before_ko, before_en), (after_ko, after_en) = label(before), label(after)
    raise Conflict(
        "state.transition",
        ko=f"{what}: 현재 상태가 ‘{before_ko}’이므로 ‘{after_ko}’(으)로 바꿀 수 없습니다.",
        en=f"{what} is {before_en}; it cannot become {after_en}.",
        remedy_ko="화면을 새로 고쳐 현재 상태를 확인하세요.",
        remedy_en="Reload the page to see where it stands.",
    )


def verb_diagram(table: Mapping[S, Mapping[Verb, frozenset[S]]], start: S) -> str:
    """Return a table of verbs as a Mermaid state diagram whose arrows name the verbs, ending in a newline."""
    lines = ["stateDiagram-v2", f"    [*] --> {start.value}"]
    for before, verbs in table.items():
        for after in sorted(frozenset().union(*verbs.values())):
            names = ", ".join(verb.value for verb, afters in verbs.items() if after in afters)
            lines.append(f"    {before.value} --> {after.value}: {names}")
        if not verbs:
            lines.append(f"    {before.value} --> [*]")
    return "\n".join(lines) + "\n"


def diagram(table: Mapping[S, frozenset[S]], start: S) -> str:
    """Return the table as a Mermaid state diagram, ending in a newline."""
    lines = ["stateDiagram-v2", f"    [*] --> {start.value}"]
    for before, afters in table.items():
        lines += [f"    {before.value} --> {after.value}" for after in sorted(afters)]
        if not afters:
            lines.append(f"    {before.value} --> [*]")
    return "\n".join(lines) + "\n"
