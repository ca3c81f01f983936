"""What is recorded about one act: who did what to which thing, from where, with which outcome and why.

The five items of the Korean access-record rule (개인정보의 안전성 확보조치 기준 §8: account, time, origin, data
subjects handled, task done) and CADF's actor/action/object/outcome/observer/reason. Never names of persons, never
identifiers of data subjects: ids and counts only. Time, id and observer are added at the door, `audit.outbox`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from audit.canonical import MAX_ENTRY_BYTES, MAX_INTEGER, encode
from audit.errors import EntryError, Text

Outcome = Literal["allowed", "denied", "done", "failed", "unknown"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)
VERSION = 1
_MAX_ACTION = 64
_ACTION = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Subjects:
    """How many data subjects the act touched and in which form (`identified`, `pseudonymised`, `aggregated` …)."""

    count: int
    kind: str


@dataclass(frozen=True, slots=True)
class Event:
    """One act, checked when it is made; raises `EntryError` naming the field. Empty text counts as absent."""

    action: str
    outcome: Outcome
    actor_id: str
    actor_role: str | None = None
    from_ip: str | None = None
    session: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    object_sha256: str | None = None
    project: str | None = None
    reason_code: str | None = None
    reason_text: str | None = None
    rule: str | None = None
    subjects: Subjects | None = None
    details: Mapping[str, str | int | bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise _refusal("outcome", self.outcome)
        if not self.actor_id:
            raise _refusal("actor_id", self.actor_id)
        for name in _TEXT_FIELDS:
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise _refusal(name, value)
        if not _ACTION.fullmatch(self.action or "") or len(self.action) > _MAX_ACTION:
            raise _refusal("action", self.action)
        if self.object_sha256 and not _SHA256.fullmatch(self.object_sha256):
            raise _refusal("object_sha256", self.object_sha256)
        _check_subjects(self.subjects)
        _check_details(self.details)

    def record(self, *, entry_id: str, at: str, observer: str) -> dict[str, object]:
        """Return the entry as plain values (absent fields left out, text in NFC), ready for `canonical.encode`."""
        groups: dict[str, dict[str, object]] = {
            "actor": {"id": self.actor_id, "role": self.actor_role},
            "from": {"ip": self.from_ip, "session": self.session},
            "object": {"id": self.object_id, "kind": self.object_kind, "sha256": self.object_sha256},
            "reason": {"code": self.reason_code, "text": self.reason_text},
        }
        record: dict[str, object] = {name: _present(group) for name, group in groups.items()}
        record |= {"action": self.action, "outcome": self.outcome, "project": self.project, "rule": self.rule}
        record |= {"id": entry_id, "at": at, "observer": observer}
        record["details"] = {key: _nfc(value) for key, value in self.details.items()}
        record = _present(record)
        record["v"] = VERSION
        if self.subjects is not None:
            record["subjects"] = {"count": self.subjects.count, "kind": _nfc(self.subjects.kind)}
        return record

    def entry(self, *, entry_id: str, at: str, observer: str) -> bytes:
        """Return the entry's canonical bytes (1 to 65,535); raise `EntryError` when it is larger."""
        data = encode(self.record(entry_id=entry_id, at=at, observer=observer))
        if len(data) > MAX_ENTRY_BYTES:
            raise EntryError(
                "audit.entry-too-large",
                Text(
                    f"기록이 {len(data):,}바이트로 한도 {MAX_ENTRY_BYTES:,}바이트를 넘습니다.",
                    f"The entry has {len(data):,} bytes; the limit is {MAX_ENTRY_BYTES:,}.",
                    "긴 내용은 따로 보관하고 그 SHA-256만 기록하세요.",
                    "Keep the long part elsewhere and record its SHA-256.",
                ),
            )
        return data


_TEXT_FIELDS = tuple(item.name for item in fields(Event) if item.name not in {"outcome", "subjects", "details"})


def _present(values: Mapping[str, object]) -> dict[str, object]:
    return {key: _nfc(value) for key, value in values.items() if value not in (None, "", {})}


def _nfc(value: object) -> object:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _check_subjects(subjects: Subjects | None) -> None:
    if subjects is None:
        return
    if not _is_count(subjects.count) or not _is_name(subjects.kind):
        raise _refusal("subjects", subjects)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INTEGER


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _check_details(details: Mapping[str, object]) -> None:
    for key, value in details.items():
        if not _is_name(key) or not _KEY.fullmatch(key):
            raise _refusal("details", key)
        if not isinstance(value, str | int) or (isinstance(value, int) and abs(value) > MAX_INTEGER):
            raise _refusal(f"details.{key}", value)


def _refusal(name: str, value: object) -> EntryError:
    return EntryError(
        "audit.event-field",
        Text(
            f"기록 항목 {name}에 쓸 수 없는 값입니다: {value!r}.",
            f"The event's {name} cannot be {value!r}.",
            "항목의 형식을 확인하세요.",
            "Check the form of that field.",
        ),
    )
