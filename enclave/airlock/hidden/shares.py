"""Percentages that betray counts: 12.5 % of 8 is one person, whether the count is printed, hidden, or left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor

from enclave.airlock.checks.numbers import is_total, read_number, words
from enclave.airlock.document import Table
from enclave.airlock.hidden.reading import Counts, read_shown
from enclave.airlock.hidden.system import Cell, Equation, Range

IN_BRACKETS = re.compile(r"[(\[]\s*(?:=\s*)?(\d{1,3}(?:\.\d+)?|\.\d+)\s*%?\s*[)\]]\s*$")
PERCENT = re.compile(r"\s*(\d{1,3}(?:\.\d+)?|\.\d+)\s*%\s*")
WHOLE_IN_HEAD = re.compile(r"(?i)\bn\s*=\s*(\d{1,3}(?:,\d{3})+|\d+)")
WHOLE_ROW = re.compile(
    r"(?i)\s*(?:n|total n|no\.? of (?:patients|subjects)|patients|subjects|전체|인원|환자수|대상자수|총 ?인원)\s*"
)
SHARE_WORDS = frozenset({
    "pct", "percent", "percentage", "proportion", "prop", "share", "prevalence", "incidence", "fraction", "rate",
    "비율", "백분율", "분율", "퍼센트", "유병률", "발생률", "사망률", "율", "률", "구성비",
})  # fmt: skip
PAIRS = 2  # shown counts that must fit their shares before a denominator is believed
EPSILON = 1e-9


@dataclass(frozen=True)
class Share:
    """A printed share: ``value`` between 0 and 1, ``half`` its rounding error."""

    value: float
    half: float

    def counts(self, whole: int) -> tuple[int, int]:
        """Return the least and greatest count of ``whole`` that prints as this share; none does if least is more."""
        low = ceil(whole * (self.value - self.half) - EPSILON)
        return max(0, low), floor(whole * (self.value + self.half) + EPSILON)


def read_percent(cell: str) -> Share | None:
    """Read ``12.5%``, or a share in brackets behind a count or gap: ``* (12.5%)``, ``4 [2.4]``."""
    found = PERCENT.fullmatch(cell) or IN_BRACKETS.search(cell)
    return _share(found[1], 100) if found else None


def share_columns(table: Table) -> dict[int, int]:
    """Return the columns that hold shares, each with its scale: 100 for per cent, 1 for fractions."""
    found = {}
    for place, name in enumerate(table.columns):
        values = [
            value for cell in table.by_column[place] if (value := read_number(cell.strip().rstrip("%"))) is not None
        ]
        signed = any(PERCENT.fullmatch(cell) for cell in table.by_column[place])
        named = "%" in name or SHARE_WORDS & set(words(name)) or name.strip().endswith(("율", "률"))
        if not values or not (signed or named) or min(values) < 0 or max(values) > 100:  # noqa: PLR2004 - per cent
            continue
        found[place] = 1 if max(values) <= 1 and not signed and "%" not in name else 100
    return found


def read_share_cell(cell: str, scale: int) -> Share | None:
    """Read a cell of a share column: ``12.5``, ``12.5 %``, ``0.125``."""
    plain = cell.strip().rstrip("%").strip()
    return _share(plain, scale) if read_number(plain) is not None and re.fullmatch(r"\d*\.?\d+", plain) else None


def narrowed(table: Table, counts: Counts, equations: Iterable[Equation], number: int) -> Mapping[Cell, Range]:
    """Return narrower ranges for the hidden counts of a table beside which their share is printed."""
    wholes = _wholes(table, counts, equations, number)
    narrow: dict[Cell, Range] = {}
    for by_cell in _printed(table, counts):
        for whole in (*wholes, _implied_whole(by_cell, counts)):
            if _fits(by_cell, counts, whole):
                narrow |= dict(_ranges(by_cell, counts, whole))
                break
    return narrow


def _printed(table: Table, counts: Counts) -> Iterator[dict[Cell, Share]]:
    # Shares in the count's own cell, and columns of shares beside each column of counts.
    inside = {cell: share for cell in counts.ranges if (share := read_percent(table.rows[cell.row][cell.column]))}
    for column in sorted({cell.column for cell in inside}):
        yield {cell: share for cell, share in inside.items() if cell.column == column}
    for place, scale in share_columns(table).items():
        for column in sorted({cell.column for cell in counts.ranges if cell.column != place}):
            cells = [cell for cell in counts.ranges if cell.column == column]
            yield {cell: share for cell in cells if (share := read_share_cell(table.rows[cell.row][place], scale))}


Whole = Mapping[Cell, int]


def _wholes(table: Table, counts: Counts, equations: Iterable[Equation], number: int) -> list[Whole]:
    # Of what the shares may be: the header's (N = 120), a total the cell belongs to, the sum of the column.
    heads: dict[Cell, int] = {}
    for cell in counts.ranges:
        if found := WHOLE_IN_HEAD.search(table.columns[cell.column]):
            heads[cell] = int(found[1].replace(",", ""))
    across: dict[Cell, int] = {}
    down: dict[Cell, int] = {}
    for each in equations:
        if len(each.left) != 1 or each.left[0].table != number or not counts.ranges.get(each.left[0], Range()).is_exact:
            continue
        for part in each.right:
            (across if part.row == each.left[0].row else down)[part] = counts.ranges[each.left[0]].low
    largest = {column: _largest(counts, table, column) for column in {cell.column for cell in counts.ranges}}
    tops = {cell: largest[cell.column] for cell in counts.ranges if largest[cell.column]}
    every = {whole for whole in largest.values() if whole}
    return [heads, down, across, tops, *(dict.fromkeys(counts.ranges, whole) for whole in sorted(every))]


def _implied_whole(shares: Mapping[Cell, Share], counts: Counts) -> Whole:
    # 120 (40.0 %) and 76 (25.3 %) can only be of 300, though nobody prints the 300.
    low, high = 0.0, float("inf")
    for cell, share in shares.items():
        if cell not in counts.hidden and counts.ranges[cell].is_exact and share.value > share.half:
            count = counts.ranges[cell].low
            low = max(low, count / (share.value + share.half))
            high = min(high, count / (share.value - share.half))
    if high == float("inf"):
        return {}
    whole = floor(high + EPSILON)
    return dict.fromkeys(shares, whole) if ceil(low - EPSILON) == whole else {}


def _largest(counts: Counts, table: Table, column: int) -> int:
    # A column's total, or its largest count (the row "N" of a table of characteristics).
    shown = {cell: known.low for cell, known in counts.ranges.items() if cell.column == column and known.is_exact}
    totals = [value for cell, value in shown.items() if any(is_total(label) for label in table.rows[cell.row][:2])]
    return max(totals or shown.values(), default=0)


def _fits(shares: Mapping[Cell, Share], counts: Counts, whole: Whole) -> bool:
    # Believed when it prints the shares of at least two shown counts, none of them the whole itself.
    shown = [cell for cell in shares if cell in whole and cell not in counts.hidden]
    told = [cell for cell in shown if counts.ranges[cell].low < whole[cell]]
    for cell in shown:
        low, high = shares[cell].counts(whole[cell])
        if counts.ranges[cell].high is None or not low <= counts.ranges[cell].low <= high:
            return False
    return len(told) >= PAIRS


def _ranges(shares: Mapping[Cell, Share], counts: Counts, whole: Whole) -> Iterator[tuple[Cell, Range]]:
    for cell, share in shares.items():
        if cell in counts.hidden and cell in whole:
            low, high = share.counts(whole[cell])
            if low <= high:
                yield cell, Range(low, high).within(counts.ranges[cell])


def _share(text: str, scale: int) -> Share:
    decimals = len(text.partition(".")[2])
    return Share(float(text) / scale, 0.5 * 10.0**-decimals / scale)


def bare(table: Table, counts_of: Iterable[int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield (row, column, low, high) of counts that a share and a whole in row, header or column give away.

    ``counts_of``: the columns that hold wholes. A column of shares is believed when whole numbers of people print as
    all of its shares, and this could hardly be by chance, or its name says that it is a share.
    """
    for place, scale in share_columns(table).items():
        head = WHOLE_IN_HEAD.search(table.columns[place])
        options = [[int(head[1].replace(",", ""))] * len(table.rows)] if head else []
        options += [[read_shown(row[column]) or 0 for row in table.rows] for column in counts_of if column != place]
        for wholes in options:
            cells = list(_implied(table, place, scale, wholes))
            if cells and _is_believed(table.columns[place], cells):
                yield from ((row, place, low, high) for row, _, _, low, high in cells)
                break
    yield from _below_wholes(table)


def _below_wholes(table: Table) -> Iterator[tuple[int, int, int, int]]:
    # A row "N" of wholes, and below it rows that say that they are per cent of them.
    tops = [row for row, cells in enumerate(table.rows) if cells and WHOLE_ROW.fullmatch(cells[0])]
    if len(tops) != 1:
        return
    rows = [row for row, cells in enumerate(table.rows) if row > tops[0] and _is_share_label(cells[0])]
    for column in range(1, len(table.columns)):
        whole = read_shown(table.rows[tops[0]][column]) or 0
        for row in rows:
            share = read_share_cell(table.rows[row][column], 100)
            low, high = share.counts(whole) if share is not None and whole > 0 and share.value else (1, 0)
            if low <= high:
                yield row, column, low, high


def _is_share_label(label: str) -> bool:
    return "%" in label or bool(SHARE_WORDS & set(words(label)))


Implied = tuple[int, Share, int, int, int]


def _implied(table: Table, place: int, scale: int, wholes: list[int]) -> Iterator[Implied]:
    for row, cells in enumerate(table.rows):
        share = read_share_cell(cells[place], scale)
        if share is not None and wholes[row] > 0 and 0 < share.value < 1:
            yield row, share, wholes[row], *share.counts(wholes[row])


def _is_believed(name: str, cells: list[Implied]) -> bool:
    if any(low > high for *_, low, high in cells):
        return False
    chance = 1.0
    for _, share, whole, _, _ in cells:
        chance *= min(1.0, 2 * share.half * whole)
    return chance < 0.02 or (bool(SHARE_WORDS & set(words(name))) and chance < 0.5)  # noqa: PLR2004 - one in fifty
