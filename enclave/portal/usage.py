"""What the gate's meter says of one workspace, read into values: what was shown this hour and this day, and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from enclave.errors import EnclaveError, NotFound
from enclave.portal.parts import Portal
from enclave.workspace.plan import Display

KINDS = ("bytes", "rows", "pictures")
WINDOWS = ("hour", "day")


@dataclass(frozen=True)
class Line:
    """One budget: `kind` bytes, rows or pictures, in the `window` hour or day."""

    window: str
    kind: str
    used: int
    limit: int

    @property
    def left(self) -> int:
        """What may still be shown in this window."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True)
class Usage:
    """All six budgets of one workspace, and its limits."""

    lines: tuple[Line, ...]
    limits: Display

    def as_json(self) -> dict[str, Any]:
        """Return the form in which a notebook is told."""
        lines = [{**each.__dict__, "left": each.left} for each in self.lines]
        return {"lines": lines, "message_bytes": self.limits.message_bytes, "content_bytes": self.limits.content_bytes}


def usage(portal: Portal, workspace_id: str) -> Usage:
    """Return what a workspace's meter says. Raises: EnclaveError of the gate (`NotFound` if it is not open)."""
    figures = portal.gate.meter(workspace_id)
    if not figures:
        raise _not_open(workspace_id)
    return read(figures)


def usage_if_any(portal: Portal, workspace_id: str) -> Usage | None:
    """Return what a workspace's meter says, or nothing while it is not open or the gate is away: pages go on."""
    try:
        return usage(portal, workspace_id)
    except EnclaveError:
        return None


def read(figures: Mapping[str, Any]) -> Usage:
    """Read the gate's figures: `{"hour": {"shown": {…}}, "day": …, "limits": {…}}`."""
    limits = Display(**{field.name: int(figures["limits"][field.name]) for field in fields(Display)})
    lines = [
        Line(window, kind, int(figures[window]["shown"][kind]), int(getattr(limits, f"{window}_{kind}")))
        for window in WINDOWS
        for kind in KINDS
    ]
    return Usage(tuple(lines), limits)


def _not_open(workspace_id: str) -> NotFound:
    return NotFound(
        "display.not-open",
        ko=f"작업공간 {workspace_id}이(가) 열려 있지 않습니다.",
        en=f"Workspace {workspace_id} is not open.",
        remedy_ko="작업공간을 연 뒤 다시 보세요.",
        remedy_en="Look again once it is open.",
    )
