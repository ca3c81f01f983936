"""What may follow what: the states of everything that changes, as data.

Commands, the diagrams in `docs/reference/` and the tests read these tables; there is no second place.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from enclave.errors import Conflict


class ProjectState(StrEnum):
    """An application and what becomes of it."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    ACTIVE = "active"
    ENDED = "ended"


class RequestState(StrEnum):
    """A request to take files out (반출 신청)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


class ReleaseState(StrEnum):
    """The outside effect of an approval: package written, handed over once, perhaps recalled."""

    REQUESTED = "requested"
    DONE = "done"
    FAILED = "failed"
    HANDED_OVER = "handed_over"
    RECALLED = "recalled"


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
    """Whether new projects and workspaces may use a snapshot."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


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
    """One output checker's vote."""

    APPROVE = "approve"
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

EGRESS: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.DRAFT: frozenset({RequestState.SUBMITTED, RequestState.WITHDRAWN}),
    RequestState.SUBMITTED: frozenset(
        {RequestState.RETURNED, RequestState.APPROVED, RequestState.REJECTED, RequestState.WITHDRAWN}
    ),
    RequestState.RETURNED: frozenset({RequestState.SUBMITTED, RequestState.WITHDRAWN}),
    RequestState.APPROVED: frozenset({RequestState.RELEASED}),
    RequestState.REJECTED: frozenset(),
    RequestState.RELEASED: frozenset(),
    RequestState.WITHDRAWN: frozenset(),
}

RELEASE: Mapping[ReleaseState, frozenset[ReleaseState]] = {
    ReleaseState.REQUESTED: frozenset({ReleaseState.DONE, ReleaseState.FAILED, ReleaseState.RECALLED}),
    ReleaseState.DONE: frozenset({ReleaseState.HANDED_OVER, ReleaseState.RECALLED}),
    ReleaseState.FAILED: frozenset({ReleaseState.DONE, ReleaseState.RECALLED}),
    ReleaseState.HANDED_OVER: frozenset({ReleaseState.RECALLED}),
    ReleaseState.RECALLED: frozenset(),
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
    SnapshotState.PUBLISHED: frozenset({SnapshotState.WITHDRAWN}),
    SnapshotState.WITHDRAWN: frozenset(),
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

# Name of the table in the diagrams' file names.
TABLES: Mapping[str, Mapping[StrEnum, frozenset[StrEnum]]] = {
    "project": PROJECT,  # type: ignore[dict-item]  # Mapping is invariant in its key
    "egress": EGRESS,  # type: ignore[dict-item]
    "release": RELEASE,  # type: ignore[dict-item]
    "workspace": WORKSPACE,  # type: ignore[dict-item]
    "snapshot": SNAPSHOT,  # type: ignore[dict-item]
    "lease": LEASE,  # type: ignore[dict-item]
    "device": DEVICE,  # type: ignore[dict-item]
    "drill": DRILL,  # type: ignore[dict-item]
}


def label(state: StrEnum) -> tuple[str, str]:
    """Return (Korean, English) for any state of this module."""
    return _LABELS[type(state).__name__][state.value]


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


def diagram(table: Mapping[S, frozenset[S]], start: S) -> str:
    """Return the table as a Mermaid state diagram, ending in a newline."""
    lines = ["stateDiagram-v2", f"    [*] --> {start.value}"]
    for before, afters in table.items():
        lines += [f"    {before.value} --> {after.value}" for after in sorted(afters)]
        if not afters:
            lines.append(f"    {before.value} --> [*]")
    return "\n".join(lines) + "\n"


_LABELS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "ProjectState": {
        "draft": ("초안", "draft"),
        "submitted": ("심의 중", "under review"),
        "returned": ("보완 요청", "returned"),
        "approved": ("승인", "approved"),
        "rejected": ("반려", "rejected"),
        "active": ("수행 중", "active"),
        "ended": ("종료", "ended"),
    },
    "RequestState": {
        "draft": ("초안", "draft"),
        "submitted": ("심사 중", "under review"),
        "returned": ("보완 요청", "returned"),
        "approved": ("승인", "approved"),
        "rejected": ("반려", "rejected"),
        "released": ("반출", "released"),
        "withdrawn": ("철회", "withdrawn"),
    },
    "ReleaseState": {
        "requested": ("준비 중", "being prepared"),
        "done": ("수령 대기", "ready to be handed over"),
        "failed": ("준비 실패", "failed"),
        "handed_over": ("전달됨", "handed over"),
        "recalled": ("회수", "recalled"),
    },
    "WorkspaceState": {
        "requested": ("여는 중", "starting"),
        "running": ("사용 중", "running"),
        "stopped": ("닫힘", "stopped"),
        "failed": ("열기 실패", "failed"),
        "frozen": ("동결", "frozen"),
        "destroyed": ("파기됨", "destroyed"),
    },
    "FreezeCause": {
        "period": ("과제 기간 만료", "end of the project's period"),
        "project": ("과제 종료", "end of the project"),
        "account": ("계정 종료", "end of the account"),
        "incident": ("사고 조사", "incident"),
    },
    "LeaseState": {
        "waiting": ("대기 중", "waiting"),
        "granted": ("배정됨", "granted"),
        "ending": ("회수 중", "being taken back"),
        "ended": ("끝남", "over"),
    },
    "DeviceState": {
        "dirty": ("소거 대기", "to be erased"),
        "ready": ("사용 가능", "ready"),
        "quarantined": ("사용 중지", "out of service"),
    },
    "DrillState": {
        "requested": ("대기 중", "waiting"),
        "running": ("진행 중", "running"),
        "done": ("완료", "done"),
        "failed": ("중단", "failed"),
    },
    "DrillReason": {
        "install": ("설치", "installation"),
        "daily": ("매일", "daily"),
        "asked": ("감사자 요청", "the auditor's wish"),
        "console": ("콘솔", "console"),
    },
    "SnapshotState": {"published": ("공개", "published"), "withdrawn": ("철회", "withdrawn")},
    "ColumnState": {
        "pending": ("심의 중", "pending"),
        "approved": ("승인", "approved"),
        "rejected": ("반려", "rejected"),
    },
    "Decision": {"approve": ("승인", "approve"), "return": ("보완 요청", "return"), "reject": ("반려", "reject")},
}
