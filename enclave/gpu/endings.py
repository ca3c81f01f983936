"""When a turn at a GPU is over although nobody gave it back; each reason is a code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from enclave.gpu.rules import GpuRules
from enclave.states import LeaseState, WorkspaceState

# What the person is told, as (Korean, English).
REASONS: Mapping[str, tuple[str, str]] = {
    "released": ("반납함", "given back"),
    "time-over": ("배정 시간이 끝남", "the time was over"),
    "not-claimed": ("정해진 시간 안에 쓰기 시작하지 않음", "not taken up in time"),
    "workspace-closed": ("작업공간이 닫혀 있음", "the workspace stayed closed"),
    "workspace-gone": ("작업공간이 사라짐", "the workspace is gone"),
    "not-entitled": ("과제나 계정에서 더는 쓸 수 없음", "project or account may not use it any more"),
    "device-gone": ("장치가 사라짐", "the device is gone"),
}


@dataclass(frozen=True)
class LeaseFacts:
    """What decides over one open lease.

    `workspace`: state of the workspace whose present plan has the device, None if there is none; `since`: when that
    workspace was asked for, began or ended, whichever was last. `seen`: whether the gate sees a container with the
    device, None if it was not asked.
    """

    state: LeaseState
    entitled: bool
    present: bool = True
    expires_at: datetime | None = None
    claim_by: datetime | None = None
    workspace: WorkspaceState | None = None
    since: datetime | None = None
    seen: bool | None = None


def reason_to_end(facts: LeaseFacts, rules: GpuRules, now: datetime) -> str:
    """Return the code of why this lease must end now; empty if it need not."""
    if facts.state not in {LeaseState.WAITING, LeaseState.GRANTED}:
        return ""
    if not facts.entitled:
        return "not-entitled"
    if facts.state is LeaseState.WAITING:
        return ""
    if not facts.present:
        return "device-gone"
    if facts.expires_at is not None and now >= facts.expires_at:
        return "time-over"
    return _unused(facts, rules, now)


def _unused(facts: LeaseFacts, rules: GpuRules, now: datetime) -> str:
    if facts.workspace is None or facts.since is None:
        return "not-claimed" if facts.claim_by is not None and now >= facts.claim_by else ""
    if now < facts.since + rules.claim:
        return ""
    if facts.workspace is WorkspaceState.RUNNING:
        return "workspace-gone" if facts.seen is False else ""
    return "workspace-closed"
