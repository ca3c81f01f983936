"""R53: sums that one or two contributors make up: the NK rule and the p % rule.

`nk_share` and `p_percent` judge true contributions (from recomputation on the snapshot). A published table is judged
only where it prints the shares of its largest contributors itself; it cannot be guessed from the sums alone.
Rules and limits as ACRO's (N = 2, K = 90 %; p = 10 %), with the handbook's stricter 85 % for pointing at a cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from enclave.airlock.checks.findings import cell_place, warn
from enclave.airlock.checks.numbers import read_number
from enclave.airlock.document import Table
from enclave.airlock.report import Finding

TOP, TOP_SHARE, P_SHARE = 2, 0.85, 0.10
TOP_NAMES = re.compile(
    r"(?i)(?:top|largest|biggest|max(?:imum)?)[\s_.-]*\d?[\s_.-]*(?:\w+[\s_.-]+)?(?:share|contribut\w*|pct|percent|%)"
    r"|(?:상위|최대)\s*\d?\s*(?:개|명|인|위)?\s*(?:기관|기여자?|환자)?[\s_]*(?:비중|비율|점유율|기여율|몫)|최대\s*기여"
)


def nk_share(contributions: Iterable[float], top: int = TOP) -> float:
    """Return what part (0 to 1) of a sum its ``top`` largest contributors make; 0 for a sum of nothing."""
    parts = sorted((abs(part) for part in contributions), reverse=True)
    whole = sum(parts)
    return sum(parts[:top]) / whole if whole else 0.0


def p_percent(contributions: Iterable[float]) -> float:
    """Return how closely the second largest contributor can work out the largest: their error as a part of the largest.

    Below `P_SHARE` the sum is unsafe. Infinite where there is no largest, 0 with one or two contributors.
    """
    parts = sorted((abs(part) for part in contributions), reverse=True)
    return sum(parts[2:]) / parts[0] if parts and parts[0] else float("inf")


def is_dominated(contributions: Iterable[float]) -> bool:
    """Whether either rule says that a sum gives its largest contributors away."""
    parts = list(contributions)
    return nk_share(parts) > TOP_SHARE or p_percent(parts) < P_SHARE


def check_dominance(table: Table, most: float = TOP_SHARE) -> list[Finding]:
    """Point at printed shares of the largest contributors above ``most`` (0 to 1)."""
    return list(_printed(table, most))


def _printed(table: Table, most: float) -> Iterator[Finding]:
    for column, name in enumerate(table.columns):
        if not TOP_NAMES.search(name):
            continue
        values = {row: read_number(cell.strip().rstrip("%")) for row, cell in enumerate(table.by_column[column])}
        shown = {row: value for row, value in values.items() if value is not None}
        scale = 1.0 if all(value <= 1 for value in shown.values()) else 100.0
        for row, value in shown.items():
            if value > most * scale:
                yield warn(
                    "cell.dominance",
                    "한두 명(곳)이 합계의 대부분을 차지하는 칸입니다. 합계를 가리거나 범주를 합치세요.",
                    "One or two contributors make up most of this sum. Hide it or merge categories.",
                    place=cell_place(row, column, name, table=table.label),
                )
