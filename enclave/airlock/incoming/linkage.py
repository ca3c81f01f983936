"""R95: reference data with a column that could be joined to a data set's people is shown to the steward (결합 우려).

By name, and by value: the digests of a key column's values are kept as its smallest ones (a bottom-k sketch), so that a
share can be estimated from a few thousand of them, whatever the size of either side.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from enclave.airlock.checks.findings import cell_place, warn
from enclave.airlock.document import Table
from enclave.airlock.incoming.limits import DataColumn, ImportLimits
from enclave.airlock.report import Finding

MOST_DIGESTS, DIGEST_CHARS = 20_000, 16
LEAST_HITS, LEAST_SHARE = 3, 0.02
KEY_SHARE, LEAST_ROWS = 0.9, 20
KEY_NAME = re.compile(
    r"(?:.*[_\s-])?(?:id|ids|pid|uid|key|no|mrn|rrn|hash|pseudonym|pseudo|patient|subject|person|ptno|pt_no|chartno)"
    r"(?:[_\s-]?(?:id|no|nr|key|code|hash))?|.*(?:번호|식별자?|가명|키|환자|대상자|아이디|일련)"
)


def digest(value: str) -> str:
    """Return the name under which a value is compared: 16 hexadecimal digits of its SHA-256, whole numbers alike."""
    plain = value.strip().casefold()
    plain = plain.removesuffix(".0").lstrip("0") if plain.removesuffix(".0").isdigit() else plain
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:DIGEST_CHARS]


def sketch(values: Iterable[str]) -> tuple[str, ...]:
    """Return the smallest digests of the distinct values, at most `MOST_DIGESTS`, in order."""
    return tuple(sorted({digest(value) for value in values if value.strip()})[:MOST_DIGESTS])


def check_linkage(table: Table, limits: ImportLimits) -> list[Finding]:
    """Return a warning for each column that could be a key into one of the project's data sets, or into others."""
    return [found for at, column in enumerate(table.columns) if (found := _look(table, at, column, limits))]


def _look(table: Table, at: int, column: str, limits: ImportLimits) -> Finding | None:
    place = cell_place(None, at, column)
    if match := next(_overlaps(table.by_column[at], limits.columns), None):
        data, share = match
        where = f"{data.dataset}/{data.table}"
        return warn(
            "import.linkage",
            f"값의 {share:.0%}가 {where}의 ‘{data.column}’ 값과 같습니다. 결합 우려(R95).",
            f"{share:.0%} of the values are those of ‘{data.column}’ in {where}: a key to join by (R95).",
            place=place,
        )
    same = next((one for one in limits.columns if one.key and _plain(one.column) == _plain(column)), None)
    if same or (KEY_NAME.fullmatch(_plain(column)) and _is_key(table.by_column[at])):
        which = f"{same.dataset}/{same.table}의 키와 이름이 같습니다" if same else "행마다 값이 다른 식별 열로 보입니다"
        en = f"the name of a key of {same.dataset}/{same.table}" if same else "looks like a key: a value for each row"
        return warn("import.linkage", f"{which}. 결합 우려(R95).", f"Could be joined: {en} (R95).", place=place)
    return None


def _overlaps(values: tuple[str, ...], columns: tuple[DataColumn, ...]) -> Iterator[tuple[DataColumn, float]]:
    """Yield the key columns of which a part of these values are values, each with the share."""
    ours = {digest(value) for value in set(values) if value.strip()}
    for data in columns:
        if not data.key or not data.digests:
            continue
        # Of a full sketch only what is below its largest digest can be compared.
        full = len(data.digests) >= MOST_DIGESTS
        comparable = {one for one in ours if one <= data.digests[-1]} if full else ours
        hits = len(comparable & set(data.digests))
        if hits >= LEAST_HITS and hits / len(comparable) >= LEAST_SHARE:
            yield data, hits / len(comparable)


def _is_key(values: tuple[str, ...]) -> bool:
    filled = [value for value in values if value.strip()]
    return len(filled) >= LEAST_ROWS and len(set(filled)) >= KEY_SHARE * len(filled)


def _plain(name: str) -> str:
    return name.strip().casefold()
