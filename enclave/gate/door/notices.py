"""Messages of our own, in a kernel's place: constant texts, nothing in them is chosen by the workspace.

A reply or a state that is missing would leave a cell running for ever; so those are replaced, never dropped.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enclave.gate.door.meter import Spent
from enclave.gate.door.refused import WORDS

STATES = {"busy", "idle", "starting", "restarting", "autorestarting", "dead"}
NAME = "DisplayLimit"
WHAT = {
    "message": ("한 번에 표시할 수 있는 양을 넘은 출력입니다", "This output is larger than what may be shown at once"),
    "bytes": ("화면에 표시할 수 있는 양을 다 썼습니다", "The amount that may be shown is used up"),
    "rows": ("화면에 표시할 수 있는 표의 행 수를 다 썼습니다", "The rows of tables that may be shown are used up"),
    "pictures": ("화면에 표시할 수 있는 그림 수를 다 썼습니다", "The pictures that may be shown are used up"),
    "untold": ("표시 기록을 남길 수 없어 보여 드리지 않습니다", "What cannot be recorded is not shown"),
}
WHEN = {
    "message": ("", ""),
    "hour": (" (이번 시간)", " in this hour"),
    "day": (" (오늘)", " today"),
}
AFTER = (
    "코드는 끝까지 실행됩니다. 요약해서 보거나, 결과는 포털에서 반출 신청으로 내보내십시오.",
    "The code runs to its end. Look at a summary, or send results out by an egress request in the portal.",
)


def words(spent: Spent) -> str:
    """Return the explanation, Korean first; the same for every message that hits this limit."""
    what, when = WHAT.get(spent.kind, WHAT["bytes"]), WHEN.get(spent.window, WHEN["message"])
    return f"[안심구역] {what[0]}{when[0]}. {AFTER[0]}\n[Ansim] {what[1]}{when[1]}. {AFTER[1]}\n"


NOT_RECORDED = (
    f"[안심구역] {WORDS['not-recorded'].ko} {WORDS['not-recorded'].remedy_ko}\n"
    f"[Ansim] {WORDS['not-recorded'].en} {WORDS['not-recorded'].remedy_en}\n"
)


@dataclass(frozen=True)
class Ours:
    """One message to the browser: channel, header, parent header, metadata, content."""

    channel: str
    header: dict[str, Any]
    parent: dict[str, Any]
    content: dict[str, Any]

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What stands on the wire behind the channel."""
        return [self.header, self.parent, {}, self.content]


def stream(parent: dict[str, Any], text: str, now: datetime) -> Ours:
    """Return a text below the cell that asked."""
    return Ours("iopub", _header("stream", now), parent, {"name": "stderr", "text": text})


def status(parent: dict[str, Any], state: object, now: datetime) -> Ours:
    """Return a kernel's state."""
    known = state if isinstance(state, str) and state in STATES else "unknown"
    return Ours("iopub", _header("status", now), parent, {"execution_state": known})


def reply(channel: str, kind: str, parent: dict[str, Any], text: str, now: datetime) -> Ours:
    """Return a reply of the type that is waited for, which says that there is an error."""
    content: dict[str, Any] = {"status": "error", "ename": NAME, "evalue": text, "traceback": [text]}
    if kind == "debug_reply":
        content |= {"type": "response", "success": False, "message": text}
    return Ours(channel, _header(kind, now), parent, content)


def input_reply(session: str, now: datetime) -> Ours:
    """Return an empty answer to a question that is not shown, so that the kernel does not wait for it."""
    return Ours("stdin", {**_header("input_reply", now), "session": session}, {}, {"status": "ok", "value": ""})


def not_run(message_channel: str, kind: str, parent: dict[str, Any], now: datetime) -> list[Ours]:
    """Return everything that a front end waits for after a request that was not passed on."""
    answer = reply(message_channel, kind.removesuffix("_request") + "_reply", parent, NOT_RECORDED, now)
    error = {"ename": "NotRecorded", "evalue": NOT_RECORDED, "traceback": [NOT_RECORDED]}
    shown = Ours("iopub", _header("error", now), parent, error)
    return [status(parent, "busy", now), shown, answer, status(parent, "idle", now)]


def _header(kind: str, now: datetime) -> dict[str, Any]:
    return {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "username": "ansim",
        "session": "ansim",
        "date": now.isoformat(),
        "version": "5.4",
    }
