"""R54: tables behind plots that show single people: survival steps, ROC and distribution steps, scattered points."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from enclave.airlock.checks.counts import has_counts
from enclave.airlock.checks.findings import cell_place, warn
from enclave.airlock.checks.numbers import read_number, words
from enclave.airlock.document import Table
from enclave.airlock.report import Finding

STEPS, POINTS = 10, 20
DISTINCT = 0.8
SURVIVAL = frozenset({"survival", "surv", "km", "생존율", "생존확률", "생존", "cumhaz", "hazard", "cif"})
RESULT_WORDS = frozenset({
    "coef", "estimate", "beta", "se", "p", "pvalue", "hr", "or", "rr", "ci", "lower", "upper", "z", "t", "mean", "std",
    "median", "pct", "percent", "rate", "importance", "auc", "tpr", "fpr", "threshold", "precision", "recall",
    "density",
    "survival", "weight", "loading", "shap", "vif", "accuracy", "loss", "epoch", "score", "fold",
    "계수", "표준오차", "평균", "비율", "하한", "상한", "표준편차", "중앙값", "중요도",
})  # fmt: skip


def check_curves(table: Table) -> list[Finding]:
    """Point at curves that step at single people, and at points that may each be one person."""
    return [*_steps(table), *_points(table)]


def _steps(table: Table) -> Iterator[Finding]:
    for column, name in enumerate(table.columns):
        values = [read_number(cell) for cell in table.by_column[column]]
        shown = [value for value in values if value is not None]
        if len(shown) < STEPS or len(shown) != len(values) or not all(0 <= value <= 1 for value in shown):
            continue
        moves = [after - before for before, after in pairwise(shown)]
        falls, rises = all(move <= 0 for move in moves), all(move >= 0 for move in moves)
        distinct = len(set(shown))
        if (falls or rises) and distinct >= STEPS and _by_person(moves, named=bool(SURVIVAL & set(words(name)))):
            yield warn(
                "curve.steps",
                "한 사람마다 한 계단인 곡선(생존·ROC·누적분포)으로 보입니다. 시점을 묶거나 매끄럽게 하세요.",
                "This looks like a curve with a step for each person (survival, ROC, distribution). Group its steps.",
                place=cell_place(None, column, name, table=table.label),
            )


def _by_person(moves: list[float], *, named: bool) -> bool:
    # Equal small steps are those of 1/n; a survival curve says so by its name.
    steps = sorted(abs(move) for move in moves if move)
    if not steps:
        return False
    alike = sum(step <= 1.5 * steps[0] + 1e-9 for step in steps)
    return named or alike >= 0.5 * len(steps) > 0


def _points(table: Table) -> Iterator[Finding]:
    if len(table.rows) < POINTS or has_counts(table):
        return
    free = [column for column in range(len(table.columns)) if _is_measured(table, column)]
    if len(free) >= 2:  # noqa: PLR2004 - a point has two coordinates
        yield warn(
            "points.individual",
            f"{len(table.rows)}개 점의 좌표로 보입니다. 점 하나가 한 사람이면 구간별로 묶으세요.",
            f"These look like the coordinates of {len(table.rows)} points. If each is a person, bin them.",
            place=cell_place(None, free[0], table.columns[free[0]], table=table.label),
        )


def _is_measured(table: Table, column: int) -> bool:
    # Free values, most of them different and in no order: measurements, not a grid, an index or a table of results.
    values = [read_number(cell) for cell in table.by_column[column]]
    shown = [value for value in values if value is not None]
    if len(shown) < DISTINCT * len(values) or RESULT_WORDS & set(words(table.columns[column])):
        return False
    ordered = all(a <= b for a, b in pairwise(shown)) or all(a >= b for a, b in pairwise(shown))
    return not ordered and len(set(shown)) >= min(DISTINCT * len(shown), 10)
