"""What the system found out itself, made ready to be read in seconds: what it comes to first, then what differs.

Evidence is a table of texts (`enclave.airlock.report.Evidence`); here its head and its verdicts become words of the
page, and rows that differ come first. Nothing is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from enclave.airlock.report import Evidence, Status
from enclave.queries.airlock_views import FileView, FindingView
from enclave.queries.overlap_views import How, OverlapView

MATCH = Status.MATCH.value
# What makes a file another one than its recipe makes; every other rule is about what a true number gives away.
DIFFERS = frozenset(
    {
        Status.MISMATCH.value,
        "recompute.number",
        "recompute.label",
        "recompute.shape",
        "recompute.recipe",
        "recompute.not-entitled",
        "recompute.failed",
    }
)
KNOWN = {"place", "row", "column", "printed", "recomputed", "people", "largest share", "status", "what", "found"}
FREEDOM = "residual df"
# How the ledger's evidence calls things, in both languages at once (`enclave.airlock.ledger.wording`).
LEDGER = {
    "종류 kind": "review.head_kind",
    "사람 people": "review.head_few",
    "반출 release": "review.head_release",
    "신청 request": "review.head_request",
    "과제 project": "review.head_project",
    "파일 file": "review.head_file",
    "칸 cells": "review.head_cells",
}
LEDGER_SAYS = (0, 2)
# What the evidence of a re-run names (`enclave.airlock.rerun.wording`).
RERUN = {each: f"review.what_{each}" for each in ("code", "exit", "why", "compared")}
WORDS = {
    "pair": "review.kind_pair",
    "union": "review.kind_union",
    "chain": "review.kind_chain",
    "이 신청 this request": "review.this_request",
    "전체 everyone": "review.everyone",
}


@dataclass(frozen=True)
class Row:
    """One line of evidence: `wrong` where it differs from what was submitted, `same` where it was compared and is.

    `risky`: the number is true, and gives too much away.
    `named`: the places of cells that are keys of words, and never texts of a file.
    """

    cells: tuple[str, ...]
    named: frozenset[int] = frozenset()
    wrong: bool = False
    risky: bool = False
    same: bool = False


@dataclass(frozen=True)
class Shown:
    """Evidence as a page shows it. `head`: keys of words, or the evidence's own; `facts`: (key of words, value).

    `outcome`: match, mismatch or none; `risky` where every number is true and the file was stopped for what they tell.
    """

    evidence: Evidence
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    facts: tuple[tuple[str, str], ...]
    outcome: str

    @property
    def wrong(self) -> int:
        """How many lines differ."""
        return sum(row.wrong for row in self.rows)


@dataclass(frozen=True)
class Line:
    """One file at a glance: its gravest finding and how many more, and the status of each kind of evidence.

    `said`: the first sentence of that finding, in both languages.
    """

    file: FileView
    gravest: FindingView | None
    said: tuple[str, str]
    more: int
    recomputed: Shown | None
    rerun: Shown | None
    overlap: OverlapView | None
    overlaps: int


def shown(evidence: Evidence, rules: Collection[str] = ()) -> Shown:
    """Return evidence made ready for a page. `rules`: those that its file hit."""
    head = evidence.rows[0] if evidence.rows else ()
    keys = tuple(f"review.head_{each.replace(' ', '_')}" if each in KNOWN else LEDGER.get(each, each) for each in head)
    body = [_row(cells, head) for cells in evidence.rows[1:]]
    ordered = sorted(body, key=lambda row: (not row.wrong, not row.risky))
    true = evidence.kind == "recompute" and evidence.status is Status.MISMATCH and DIFFERS.isdisjoint(rules)
    outcome = "risky" if true else evidence.status.value
    return Shown(evidence, keys, tuple(ordered), tuple(_facts(head, body)), outcome)


def glance(file: FileView, evidence: Iterable[Shown], overlaps: Sequence[OverlapView]) -> Line:
    """Return what somebody with three minutes has to know of one file."""
    # Of two that stop a file, a number that is not true is told before one that tells too much.
    grave = sorted(file.findings, key=lambda one: (one.severity != "BLOCK", not one.rule.startswith("recompute.")))
    by_kind = {one.evidence.kind: one for one in evidence}
    near = [one for one in overlaps if one.how is not How.APART]
    return Line(
        file=file,
        gravest=grave[0] if grave else None,
        said=(_first(grave[0].ko), _first(grave[0].en)) if grave else ("", ""),
        more=max(len({one.rule for one in grave}) - 1, 0),
        recomputed=by_kind.get("recompute"),
        rerun=by_kind.get("rerun"),
        overlap=near[0] if near else None,
        overlaps=len(near),
    )


def _first(text: str) -> str:
    """Return the first sentence: what is wrong, without what to do about it."""
    head, stop, _ = text.partition(". ")
    return head + ("." if stop else "")


def _row(cells: Sequence[str], head: Sequence[str]) -> Row:
    if head and head[0] in LEDGER:
        named = frozenset(at for at, each in enumerate(cells) if at in LEDGER_SAYS and each in WORDS)
        return Row(tuple(WORDS[each] if at in named else each for at, each in enumerate(cells)), named)
    if tuple(head) == ("what", "found") and cells[0] in RERUN:
        return Row((RERUN[cells[0]], *cells[1:]), frozenset({0}))
    if not head or head[-1] != "status" or len(cells) != len(head):
        return Row(tuple(cells))
    wrong, same = cells[-1] in DIFFERS, cells[-1] == MATCH
    return Row(tuple(cells), wrong=wrong, risky=not wrong and not same, same=same)


def _facts(head: Sequence[str], rows: Sequence[Row]) -> Iterable[tuple[str, str]]:
    """Yield what the cells of a recomputation come to; nothing for another kind of evidence."""
    if not head or head[-1] != "status":
        return
    wrong = sum(row.wrong for row in rows)
    yield "review.cells_same", f"{len(rows) - wrong:,} / {len(rows):,}"
    named = [dict(zip(head, row.cells, strict=True)) for row in rows if len(row.cells) == len(head)]
    people = [each["people"] for each in named if each.get("people")]
    small = [each for each in people if each.startswith("<")]
    if people:
        yield "review.fewest_people", small[0] if small else f"{min(map(int, people)):,}"
    shares = [float(each["largest share"].rstrip("%")) for each in named if each.get("largest share")]
    if shares:
        yield "review.largest_share", f"{max(shares):.1f} %"
    freedom = [each["recomputed"] for each in named if each.get("row") == FREEDOM]
    if freedom:
        yield "review.freedom", freedom[0]
