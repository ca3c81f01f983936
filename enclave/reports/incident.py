"""The text of a report to the authority, with the items of PIPA §34①; Korean, as it is handed in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from enclave.clock import KST

UNKNOWN = "확인 중 (확인되는 대로 추가로 신고함)"
KINDS = {
    "leak": "개인정보 유출등",
    "possible": "개인정보 유출등의 가능성",
    "reidentified": "가명정보의 재식별",
}


@dataclass(frozen=True)
class Facts:
    """What the report says. `exports`: (release, files, handed over at, recalled at) of packages that were built."""

    id: str
    kind: str
    discovered_at: datetime
    due_at: datetime
    project: str
    frozen: bool
    items: str
    circumstances: str
    advice: str
    response: str
    contact: str
    subjects: int | None
    exports: tuple[tuple[str, int, datetime | None, datetime | None], ...]


def text(facts: Facts) -> str:
    """Return the report. What is not known yet is said so; nothing is left out."""
    people = f"{facts.subjects:,}명" if facts.subjects is not None else UNKNOWN
    parts = [
        f"{KINDS[facts.kind]} 신고서",
        "",
        f"사고 번호: {facts.id}",
        f"알게 된 시각: {_moment(facts.discovered_at)}",
        f"신고 기한(72시간): {_moment(facts.due_at)}",
        f"관련 과제: {facts.project or '특정되지 않음'}",
        f"과제 동결: {_frozen(facts)}",
        "",
        "1. 유출등이 된 개인정보의 항목",
        _said(facts.items),
        f"   정보주체 수: {people}",
        "",
        "2. 유출등이 된 시점과 그 경위",
        _said(facts.circumstances),
        "",
        "3. 피해를 최소화하기 위하여 정보주체가 할 수 있는 방법",
        _said(facts.advice),
        "",
        "4. 개인정보처리자의 대응조치와 피해 구제절차",
        _said(facts.response),
        "",
        "5. 피해 신고 등을 접수하는 담당부서와 연락처",
        _said(facts.contact),
        "",
        "붙임. 관련될 수 있는 반출물",
        *_exports(facts),
    ]
    return "\n".join(parts) + "\n"


def _said(words: str) -> str:
    return "\n".join(f"   {line}" for line in (words.strip() or UNKNOWN).splitlines())


def _frozen(facts: Facts) -> str:
    if not facts.project:
        return "해당 없음"
    return "모든 작업공간을 동결함" if facts.frozen else "동결하지 않음"


def _exports(facts: Facts) -> list[str]:
    if not facts.project:
        return ["   과제가 특정되지 않아 목록을 만들지 않음"]
    lines = [
        f"   {name}  파일 {files}개  전달 {_moment(handed) if handed else '안 됨'}"
        + (f"  회수 {_moment(recalled)}" if recalled else "")
        for name, files, handed, recalled in facts.exports
    ]
    return lines or ["   없음"]


def _moment(time: datetime) -> str:
    return f"{time.astimezone(KST):%Y-%m-%d %H:%M} (KST)"
