"""What a conflict is called: to the requester without anything of another project's, to the checkers in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from enclave.airlock.ledger.conflicts import Conflict, Part
from enclave.airlock.report import MAX_TEXT, Evidence, Finding, Severity, Status

SHOWN_CELLS = 3
HEAD = ("종류 kind", "사람 people", "반출 release", "신청 request", "과제 project", "파일 file", "칸 cells")
KINDS = {
    "pair": ("ledger.pair", "두 칸의 차", "the difference of two cells"),
    "union": ("ledger.union", "칸들의 합과 합의 차", "the difference of two sums of cells"),
    "chain": ("ledger.chain", "세 값의 차", "the difference of three values"),
}
MODEL = "ledger.model"


def told(conflicts: Iterable[Conflict], project_id: str) -> dict[str, tuple[tuple[Finding, ...], Evidence]]:
    """Return, by file asked for, what its requester is told (a member of `project_id`) and what checkers are shown."""
    of_file: dict[str, list[Conflict]] = {}
    for each in conflicts:
        for name in dict.fromkeys(part.origin.file for part in each.parts if part.new):
            of_file.setdefault(name, []).append(each)
    return {
        name: (tuple(_finding(each, name, project_id) for each in found), _evidence(found))
        for name, found in of_file.items()
    }


def _finding(conflict: Conflict, name: str, project_id: str) -> Finding:
    model = any(part.origin.model for part in conflict.parts)
    mine = [part for part in conflict.parts if part.new and part.origin.file == name]
    others = [part for part in conflict.parts if part not in mine]
    rule, kind_ko, kind_en = KINDS[conflict.kind]
    with_ko = ", ".join(_other(part, project_id)[0] for part in others) or "이 파일의 다른 칸"
    with_en = ", ".join(_other(part, project_id)[1] for part in others) or "other cells of this file"
    ko = (
        f"{with_ko}와(과) 함께 보면 {kind_ko}에서 기준보다 적은 사람의 값이 드러납니다. "
        "같은 조건과 기간으로 다시 만들거나 범주를 합치거나, 한쪽을 빼고 제출하세요."
    )
    en = (
        f"Together with {with_en}, {kind_en} gives away fewer people than the minimum. "
        "Use the same filter and period, merge categories, or leave one of them out."
    )
    severity = Severity.WARN if model else Severity.BLOCK
    place = "; ".join(_cells(part.cells) for part in mine)
    return Finding(
        rule=MODEL if model else rule, severity=severity, ko=ko[:MAX_TEXT], en=en[:MAX_TEXT], place=place[:MAX_TEXT]
    )


def _other(part: Part, project_id: str) -> tuple[str, str]:
    """Name the other side to the requester: by id only what is their own project's."""
    if part.origin.known:
        return "전체 인원", "the whole population"
    if part.new:
        return f"이 신청의 ‘{part.origin.file}’({_cells(part.cells)})", f"‘{part.origin.file}’ of this request"
    if part.origin.project == project_id:
        return f"이 과제의 반출 {part.origin.release}(‘{part.origin.file}’)", f"release {part.origin.release}"
    return "같은 자료에 대한 다른 반출물", "another release on the same data"


def _evidence(conflicts: Sequence[Conflict]) -> Evidence:
    rows = [row for each in conflicts for row in _rows(each)]
    return Evidence(
        kind="ledger",
        title_ko="이미 나간 결과와의 차이로 드러나는 사람",
        title_en="People given away by differences to what is out",
        status=Status.MISMATCH,
        rows=(HEAD, *rows),
    )


def _rows(conflict: Conflict) -> Iterable[tuple[str, ...]]:
    for part in conflict.parts:
        origin = part.origin
        release = "전체 everyone" if origin.known else origin.release or "이 신청 this request"
        ids = (release, origin.request or "-", origin.project or "-", origin.file or "-", _cells(part.cells))
        yield (conflict.kind, str(conflict.people), *(each[:MAX_TEXT] for each in ids))


def _cells(labels: Sequence[str]) -> str:
    more = f" +{len(labels) - SHOWN_CELLS}" if len(labels) > SHOWN_CELLS else ""
    return ", ".join(labels[:SHOWN_CELLS]) + more
