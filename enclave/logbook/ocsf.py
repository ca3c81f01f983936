"""Entries as events of the Open Cybersecurity Schema Framework, version 1.5.0, for monitoring systems (관제).

Signing in and out is *Authentication* (3002), everything else *API Activity* (6003): an act at a door of the enclave.
What OCSF has no place for is in `unmapped`, the entry's bytes in `raw_data`; `metadata.sequence` is the leaf index.
The tests hold every action to the JSON Schema of that version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from enclave.actions import ABOUT, Action, Severity, Task
from enclave.logbook.line import Line, group

VERSION = "1.5.0"
AUTHENTICATION, API_ACTIVITY = 3002, 6003
LOGON, LOGOFF = 1, 2
CREATE, READ, UPDATE, DELETE, OTHER = 1, 2, 3, 4, 99
ACTIVITY: Mapping[Task, int] = {
    Task.LOG_IN: OTHER,
    Task.VIEW: READ,
    Task.CREATE: CREATE,
    Task.CHANGE: UPDATE,
    Task.DELETE: DELETE,
    Task.DOWNLOAD: READ,
    Task.IMPORT: CREATE,
    Task.EGRESS: OTHER,
    Task.RIGHTS: UPDATE,
    Task.SETTINGS: UPDATE,
    Task.VIEW_LOG: READ,
}
SIGNING = {Action.ACCOUNT_LOG_IN: LOGON, Action.ACCOUNT_LOG_OUT: LOGOFF}
# Informational, low, high.
SEVERITY = {Severity.INFO: 1, Severity.NOTICE: 2, Severity.ALERT: 4}
# Success, failure; unknown stays 0.
STATUS = {"allowed": 1, "done": 1, "denied": 2, "failed": 2}
PORTION = 200


def chunks(lines: Iterable[Line]) -> Iterator[bytes]:
    """Yield the file piece by piece, one event a line."""
    portion: list[bytes] = []
    for line in lines:
        text = json.dumps(event(line), ensure_ascii=False, separators=(",", ":"))
        # Half a character, which JSON can spell, is spelled again.
        portion.append(text.encode("utf-8", "backslashreplace") + b"\n")
        if len(portion) == PORTION:
            yield b"".join(portion)
            portion = []
    yield b"".join(portion)


def event(line: Line) -> dict[str, Any]:
    """Return one entry as an event."""
    record = line.record()
    code = str(record.get("action", ""))
    action = Action(code) if code in set(Action) else None
    about = ABOUT[action] if action else None
    sign = SIGNING.get(action) if action else None
    class_uid, category = (AUTHENTICATION, 3) if sign else (API_ACTIVITY, 6)
    activity = sign or (ACTIVITY[about.task] if about else 0)
    found: dict[str, Any] = {
        "class_uid": class_uid,
        "category_uid": category,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "severity_id": SEVERITY[about.severity] if about else 0,
        "status_id": STATUS.get(str(record.get("outcome")), 0),
        "time": _milliseconds(str(record.get("at", ""))),
        "metadata": _metadata(line, record),
        "message": about.en if about else code,
        "raw_data": line.data.decode("utf-8", "backslashreplace"),
        "unmapped": _unmapped(record, about.task if about else None),
    }
    if activity == OTHER and about:
        found["activity_name"] = about.en
    reason = group(record, "reason").get("code")
    if reason:
        found["status_code"] = str(reason)
    return found | _who(line, record, signing=bool(sign)) | ({} if sign else _what(record, code))


def _metadata(line: Line, record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "product": {"name": "Ansim", "vendor_name": "Ansim", "version": _version()},
        "log_name": "audit",
        "log_version": str(record.get("v", "")),
        "original_time": str(record.get("at", "")),
        "uid": line.entry_id,
        "sequence": line.leaf_index,
    }


def _who(line: Line, record: Mapping[str, Any], *, signing: bool) -> dict[str, Any]:
    actor, origin = group(record, "actor"), group(record, "from")
    user: dict[str, Any] = {"uid": str(actor.get("id", "unknown")), "name": line.login or str(actor.get("id", ""))}
    session = {"session": {"uid": str(origin["session"])}} if origin.get("session") else {}
    place = {"ip": str(origin["ip"])} if origin.get("ip") else {"svc_name": str(record.get("observer", "unknown"))}
    if signing:
        return {
            "user": user,
            "src_endpoint": place,
            "service": {"name": str(record.get("observer", "unknown"))},
            **session,
        }
    return {"actor": {"user": user, **session}, "src_endpoint": place}


def _what(record: Mapping[str, Any], code: str) -> dict[str, Any]:
    thing = group(record, "object")
    found: dict[str, Any] = {"api": {"operation": code, "service": {"name": str(record.get("observer", "unknown"))}}}
    if thing:
        found["resources"] = [{"type": str(thing.get("kind", "")), "uid": str(thing.get("id", ""))}]
    return found


def _unmapped(record: Mapping[str, Any], task: Task | None) -> dict[str, Any]:
    names = ("details", "outcome", "project", "reason", "rule", "subjects")
    found = {name: record[name] for name in names if name in record}
    found["role"] = str(group(record, "actor").get("role", ""))
    sha256 = group(record, "object").get("sha256")
    return found | ({"object_sha256": sha256} if sha256 else {}) | ({"task": task.value} if task else {})


def _milliseconds(at: str) -> int:
    try:
        return int(datetime.fromisoformat(at).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def _version() -> str:
    try:
        return version("ansim-enclave")
    except PackageNotFoundError:
        return "0"
