"""The access-right report (접근권한 현황): who holds what since when, by whose word, and who does not use it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from enclave.reports.basis import Basis
from enclave.reports.document import Column, Document, Section, Table
from enclave.reports.monthly import source

HELD = (
    Column(("계정", "account"), 6),
    Column(("이름·기관", "name"), 8),
    Column(("권한", "role"), 7),
    Column(("부여·기한", "since, until"), 9),
    Column(("부여한 사람·사유", "by whom, why"), 8),
    Column(("마지막 로그인", "last sign-in"), 9),
)
CHANGES = (
    Column(("시각", "when"), 3),
    Column(("계정", "account"), 2),
    Column(("권한", "role"), 2),
    Column(("변경", "change"), 2),
    Column(("한 사람·사유", "by whom, why"), 4),
)
NONE = (("없습니다.", "None."),)
WHAT = {"granted": "부여", "revoked": "회수"}
BASIS = (
    "권한과 변경은 지우지 않는 부여 기록에서, 마지막 로그인은 쪽 아래의 확인점까지의 서명된 접속기록에서 읽었습니다.",
    (
        "Rights and changes are from the grants, which are never removed; sign-ins from the signed log up to the "
        "checkpoint below."
    ),
)
BOXES = (("작성", "made by"), ("확인", "checked by"))


def document(facts: Mapping[str, Any], basis: Basis) -> Document:
    """Return the report of `enclave.queries.rights_report.rights`, printed under a checkpoint."""
    held, unused = facts["held"], facts["unused"]
    counts = Counter(line[3] for line in held)
    by_role = ", ".join(f"{role} {count}" for role, count in sorted(counts.items())) or "–"
    about = (
        (("기준일", "as of"), f"{facts['day']} (KST)"),
        (("권한", "rights held"), f"{len(held)}건: {by_role}"),
        *basis.about,
    )
    days = facts["unused_days"]
    sections = (
        _held(("1. 가지고 있는 권한", "Rights held"), held),
        _held((f"2. {days}일 넘게 쓰지 않은 권한", f"Not used for {days} days"), unused, warn=True),
        _changes(("3. 최근 90일의 변경", "Changes of the last 90 days"), facts["changes"]),
        basis.section(4, BASIS),
    )
    return Document(
        title=("접근권한 현황 보고", "Access rights"),
        about=about,
        sections=sections,
        source=sha256(source(facts)).hexdigest(),
        sheet=basis.sheet,
        boxes=BOXES,
    )


def _held(title: tuple[str, str], lines: list[list[Any]], *, warn: bool = False) -> Section:
    if not lines:
        return Section(title, text=NONE)
    note = (f"쓰지 않는 권한 {len(lines)}건을 회수할지 정하세요.", f"Decide whether to revoke these {len(lines)}.")
    rows = tuple(
        (
            login,
            f"{name}\n{where}",
            role,
            f"{since}\n~ {until or '기한 없음'}",
            f"{who}\n{why}",
            f"{last or '한 번도 없음'}\n({idle}일 전)" if last else f"한 번도 없음 ({idle}일)",
        )
        for login, name, where, role, since, until, who, why, last, idle in lines
    )
    return Section(title, table=Table(HELD, rows), note=note if warn else None)


def _changes(title: tuple[str, str], lines: list[list[str]]) -> Section:
    if not lines:
        return Section(title, text=NONE)
    return Section(title, table=Table(CHANGES, tuple(_change(line) for line in lines)))


def _change(line: list[str]) -> tuple[str, ...]:
    when, login, role, what, who, why = line
    return (when, login, role, WHAT[what], f"{who}\n{why}")
