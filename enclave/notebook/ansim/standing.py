"""How a request stands, for people: where it waits, by when, what was said of it, and what its author may do now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any

from .show import html_table, state, text_table
from .words import say

# The portal's own words: a test holds them together.
REASONS = {
    "output-checked": ("점검 완료, 문제 없음", "Checked, nothing found"),
    "small-cell": ("작은 칸 (빈도 미달)", "Small cell"),
    "row-level": ("개인별 행이 들어 있음", "Row-level data"),
    "identifier": ("식별 정보가 들어 있음", "Identifiers in it"),
    "missing-context": ("설명 부족", "Context missing"),
    "missing-counts": ("기초 빈도 없음", "Underlying counts missing"),
    "file-type": ("허용하지 않는 파일 형식", "File type not allowed"),
    "purpose": ("승인된 목적과 다름", "Not within the approved purpose"),
    "other": ("그 밖의 사유 (판단에 적음)", "Other (said in the judgements)"),
}
# What this client has a function for; everything else that is allowed is done in the portal.
CALLS = {
    "submit": ("고쳐서 다시 신청", "mend and ask again", 'egress.submit([…], purpose="…", context="…", redo="{id}")'),
    "comment": ("심사자에게 답하기", "answer the checkers", 'egress.comment("{id}", "…")'),
    "withdraw": ("철회", "withdraw", 'egress.withdraw("{id}")'),
}


@dataclass(frozen=True)
class Listing:
    """One's own requests of this project, shown as a table."""

    rows: tuple[Mapping[str, Any], ...]

    def __repr__(self) -> str:
        return text_table(_head(), _rows(self.rows)) if self.rows else _none()

    def _repr_html_(self) -> str:
        return html_table(_head(), _rows(self.rows)) if self.rows else f"<p>{escape(_none())}</p>"


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return what is to be said of a request, as the portal tells of it, line by line; nothing it does not tell."""
    told = [_waiting(found), *_reruns(found), *_said(found), _decided(found), *_release(found), *_next(found)]
    return [line for line in told if line]


def _waiting(found: Mapping[str, Any]) -> str:
    parts = []
    if found.get("round"):
        parts.append(say(f"{found['round']}회차", f"round {found['round']}"))
    if found.get("state") == "submitted":
        parts.append(say("심사", "reviews") + f" {found.get('reviews_in', 0)}/{found.get('reviewers_needed', 0)}")
    if found.get("queue_position"):
        parts.append(say(f"대기 순서 {found['queue_position']}", f"place in the queue {found['queue_position']}"))
    if found.get("due_on"):
        parts.append(say(f"처리 기한 {found['due_on']}", f"due {found['due_on']}"))
    return " · ".join(parts)


def _reruns(found: Mapping[str, Any]) -> list[str]:
    waiting = [str(each["code"]) for each in found.get("reruns", ()) if each.get("state") != "done"]
    return (
        [say(f"다시 실행 중인 코드: {', '.join(waiting)}", f"Being run again: {', '.join(waiting)}")] if waiting else []
    )


def _said(found: Mapping[str, Any]) -> list[str]:
    told = (each for each in found.get("comments", ()) if each.get("round") == found.get("round"))
    asked, checkers = say("신청자", "requester"), say("심사자", "checker")
    return [f"{asked if each.get('from_author') else checkers}: {each.get('text', '')}" for each in told]


def _decided(found: Mapping[str, Any]) -> str:
    reason = str(found.get("decided_reason") or "")
    return say(*REASONS.get(reason, (reason, reason)))


def _release(found: Mapping[str, Any]) -> list[str]:
    release = found.get("release")
    if not release:
        return []
    who, until = release.get("receiver_login", ""), _moment(str(release.get("expires_at") or ""))
    why = release.get("recall_reason") or ""
    told = {
        "requested": ("반출물을 준비하고 있습니다.", "The package is being prepared."),
        "failed": ("반출물을 만들지 못했습니다. 포털에서 다시 시도하세요.", "It failed; try again in the portal."),
        "done": (
            f"{who}이(가) {until}까지 포털의 ‘반출 전달’에서 한 번 받을 수 있습니다.",
            f"{who} can fetch it once, in the portal under “Releases”, until {until}.",
        ),
        "handed_over": (f"{who}에게 전달되었습니다.", f"It was handed over to {who}."),
        "recalled": (
            f"회수되었습니다({why}). 받은 사람은 사본을 지우고 포털에서 확인해 주세요.",
            f"Recalled ({why}). Whoever received it deletes their copies and confirms it in the portal.",
        ),
    }
    return [say(*told[release["state"]])] if release.get("state") in told else []


def _moment(text: str) -> str:
    """Return a moment of the portal's as Korean time; Korea has no daylight saving."""
    korea = timezone(timedelta(hours=9))
    return datetime.fromisoformat(text).astimezone(korea).strftime("%Y-%m-%d %H:%M") if text else ""


def _next(found: Mapping[str, Any]) -> list[str]:
    may = [CALLS[verb] for verb in found.get("allowed", ()) if verb in CALLS]
    if not may:
        return []
    calls = [f"  {say(ko, en)}: {call.format(id=found.get('id', ''))}" for ko, en, call in may]
    return [say("지금 할 수 있는 일:", "What you can do now:"), *calls]


def _head() -> tuple[str, ...]:
    ko = ("신청", "상태", "회차", "대기 순서", "처리 기한", "반출 목적")
    return ko if say("ko", "en") == "ko" else ("request", "state", "round", "place in queue", "due", "purpose")


def _rows(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    names = ("round", "queue_position", "due_on", "purpose")
    return [
        (str(each.get("id", "")), state(str(each.get("state", ""))), *(str(each.get(name) or "") for name in names))
        for each in found
    ]


def _none() -> str:
    return say("아직 신청이 없습니다.", "No requests yet.")
