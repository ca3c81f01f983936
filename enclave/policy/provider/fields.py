"""What a provider's policy may say, field by field: unit, bounds, and which way is stricter (R49–R54, R66, R67).

The table is the only place: the file's form, the floors, the strictest of several, the words of a difference, the form
on the page and the reference page are all read from it. What is not in it cannot be configured: that a reviewer is
never a member, never of the same organisation, and has a fresh second factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stricter(StrEnum):
    """Which of two values protects more."""

    HIGHER = "higher"
    LOWER = "lower"
    MORE = "more"  # of two lists: all that stands in either


@dataclass(frozen=True)
class Field:
    """One field. `low` and `high` are the house's bounds, both allowed; a list has none."""

    section: str
    stricter: Stricter
    low: int
    high: int
    ko: str
    en: str

    @property
    def is_list(self) -> bool:
        """Whether it is a list of rule ids instead of a whole number."""
        return self.stricter is Stricter.MORE


UP, DOWN = Stricter.HIGHER, Stricter.LOWER
FIELDS: dict[str, Field] = {
    # No policy may go below 5 (R50); beyond a thousand nothing would ever leave.
    "min_cell": Field("checks", UP, 5, 1000, "최소 셀 빈도(명)", "smallest cell (people)"),
    "min_freedom": Field("checks", UP, 5, 1000, "최소 잔차 자유도", "fewest residual degrees of freedom"),
    "dominance_percent": Field("checks", DOWN, 50, 90, "상위 2인 지배 기준(%)", "share of the two largest (%)"),
    "p_percent": Field("checks", UP, 5, 50, "p% 규칙의 p", "p of the p % rule"),
    "max_rows": Field("checks", DOWN, 10, 10_000, "표의 최대 행 수", "most rows of a table"),
    "max_points": Field("checks", DOWN, 0, 500, "그림 속 값의 최대 수", "most values in a figure"),
    "max_lines": Field("checks", DOWN, 10, 20_000, "글의 최대 줄 수", "most lines of a text"),
    "max_file_mib": Field("checks", DOWN, 1, 512, "파일의 최대 크기(MiB)", "largest file (MiB)"),
    "block": Field("warnings", Stricter.MORE, 0, 0, "차단하는 경고", "warnings that stop a file"),
    "recomputed": Field("reviewers", UP, 1, 7, "다시 계산된 집계표의 심사자 수", "reviewers of recomputed aggregates"),
    "standard": Field("reviewers", UP, 2, 7, "그 밖의 심사자 수", "reviewers of everything else"),
    "committee": Field("reviewers", UP, 3, 7, "위원회의 위원 수(홀수)", "members of a committee, an odd number"),
    "working_days": Field("clock", DOWN, 1, 30, "심사 기한(근무일)", "time for a decision (working days)"),
    "escalate_percent": Field("clock", DOWN, 10, 100, "알림 시점(기한의 %)", "told when this much is over (%)"),
    "idle_days": Field("clock", DOWN, 7, 90, "움직임 없는 신청의 만료(일)", "idle requests expire after (days)"),
    "release_days": Field("clock", DOWN, 1, 30, "수령 기한(일)", "releases wait for (days)"),
}
# A warning that a provider may have stopped. Without this list a misspelt name would silently stop nothing. A rule that
# sometimes stops by itself is not in it: its block would look like the policy's.
WARNINGS = frozenset(
    {
        "cell.dominance",
        "cell.prose",
        "cell.rest",
        "cell.rounding",
        "cell.totals",
        "cell.unnamed",
        "cell.zero",
        "code.values",
        "curve.steps",
        "encoded.precision",
        "encoded.trailing",
        "figure.hidden",
        "id.known-person",
        "id.known-missing",
        "image.eye",
        "image.noise",
        "image.profile",
        "image.unread",
        "ledger.model",
        "notebook.metadata",
        "notebook.outputs",
        "office.comment",
        "office.formula",
        "office.hidden",
        "office.name",
        "office.properties",
        "office.tracked",
        "pdf.hidden",
        "points.individual",
        "recompute.dominance",
        "recompute.influence",
        "recompute.no-persons",
        "rerun.different",
        "rerun.failed",
        "rerun.missing",
        "rerun.stored",
        "rerun.unstable",
        "row.no-counts",
        "row.per-subject",
        "table.no-header",
        "table.ragged",
        "text.long",
        "value.extreme",
        "value.percentile",
    }
)
SECTIONS = tuple(dict.fromkeys(field.section for field in FIELDS.values()))
