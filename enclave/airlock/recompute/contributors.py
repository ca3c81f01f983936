"""What the microdata say about each cell of a table: too few people, hidden without need, given back, dominated.

Counts in the file do not matter here: the people are counted in the snapshot (R50, R51, R53; SATRE 3.3.04).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from enclave.airlock.checks.findings import block, cell_place, mended_by, warn
from enclave.airlock.document import Table
from enclave.airlock.recompute.layout import Layout, Spot
from enclave.airlock.recompute.match import HIDDEN, cell, limited
from enclave.airlock.recompute.measure import EXTREMES
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

ADDING = frozenset({"count", "persons", "sum"})  # what is nought where there is nobody
# Where the file has a recipe this repair makes the table again, with its small cells hidden (`ansim.egress.repair`).
MADE_AGAIN = "suppress"


def judge(printed: Table, made: Layout, below: int | None, rules: CheckRules) -> list[Finding]:
    """Judge every cell of a table by its true contributors. ``below``: what the recipe says it hides, if it does."""
    found: list[Finding] = []
    shown: list[Spot] = []
    hidden: list[Spot] = []
    for spot in made.spots:
        (hidden if cell(printed, spot.row, spot.column) == HIDDEN else shown).append(spot)
    lines = lines_of(made.spots)
    found += _few_behind(made, rules.min_cell)
    for spot in shown:
        found += _shown(spot, made, rules)
    found += _undeclared(shown, made, below or 0, rules.min_cell)
    found += _needless(hidden, lines, made, below)
    found += _half_hidden(shown, hidden, made)
    found += _given_back(hidden, lines, made, max(below or 0, rules.min_cell))
    return limited(found)


def lines_of(spots: Iterable[Spot]) -> Mapping[Spot, tuple[tuple[Spot, ...], ...]]:
    """Return, for each cell, the lines it stands in: cells of one measure that add up to a total at their end."""
    down: dict[object, list[Spot]] = defaultdict(list)
    across: dict[object, list[Spot]] = defaultdict(list)
    for spot in spots:
        down[spot.column].append(spot)
        across[spot.row, spot.measure].append(spot)
    lines = [tuple(line) for line in (*down.values(), *across.values()) if line[-1].is_total and len(line) > 1]
    found: dict[Spot, tuple[tuple[Spot, ...], ...]] = defaultdict(tuple)
    for line in lines:
        for spot in line:
            found[spot] = (*found[spot], line)
    return found


def is_small(spot: Spot, below: int) -> bool:
    """Whether fewer people than ``below`` stand behind what a cell says."""
    return min(spot.people, spot.alone) < below


def _few_behind(made: Layout, below: int) -> Iterator[Finding]:
    """Find labels that are true of too few people: whatever the cells say or hide, a label alone tells of them."""
    for label in made.labels:
        if label.people < below:
            few = block(
                "recompute.small",
                f"이 이름표에 해당하는 사람이 기준 {below}명 미만입니다. 칸을 가려도 알 수 있으니 범주를 합치세요.",
                f"Fewer than {below} people have this label, which tells of them whatever is hidden. Merge categories.",
                place=cell_place(label.row, label.column, made.head[label.column]),
            )
            yield mended_by(few, MADE_AGAIN)


def _says_nothing(spot: Spot) -> bool:
    """Whether a cell is empty: rows of nobody are somebody's all the same, and what they say is a value."""
    return spot.value != spot.value or (not spot.people and not spot.value and spot.measure.op in ADDING)


def _shown(spot: Spot, made: Layout, rules: CheckRules) -> Iterator[Finding]:
    if _says_nothing(spot):
        return
    place = _place(spot, made)
    if spot.people < rules.min_cell:
        few = block(
            "recompute.small",
            f"이 칸에 기여한 사람이 기준 {rules.min_cell}명 미만입니다. 칸을 가리거나 범주를 합치세요.",
            f"Fewer than {rules.min_cell} people stand behind this cell. Hide it or merge categories.",
            place=place,
        )
        yield mended_by(few, MADE_AGAIN)
    elif spot.alone < rules.min_cell and spot.measure.op not in EXTREMES:
        few = block(
            "recompute.few-values",
            f"이 합·평균을 만드는 값(0이 아닌 값, 두 값뿐이면 드문 쪽)을 가진 사람이 {rules.min_cell}명 미만입니다. "
            "칸을 가리거나 범주를 합치세요.",
            f"Fewer than {rules.min_cell} people have the values that make this number (not 0, or the rarer of two). "
            "Hide the cell or merge categories.",
            place=place,
        )
        yield mended_by(few, MADE_AGAIN)
    elif spot.alone < rules.min_cell:
        yield block(
            "recompute.extreme",
            f"이 값을 가진 사람이 기준 {rules.min_cell}명 미만인 최솟값·최댓값입니다. 빼거나 구간으로 바꾸세요.",
            f"A minimum or maximum that fewer than {rules.min_cell} people have. Leave it out, or use bands.",
            place=place,
        )
    if spot.measure.op != "persons" and is_dominated(spot, rules):
        yield (block if rules.dominance_blocks else warn)(
            "recompute.dominance",
            f"한두 사람이 이 칸의 대부분을 차지합니다(상위 2인 {rules.dominance_percent}% 초과 또는 p% 규칙).",
            f"One or two people make up most of this cell (top two above {rules.dominance_percent}%, or the p % rule).",
            place=place,
        )


def is_dominated(spot: Spot, rules: CheckRules) -> bool:
    """Whether its largest contributors can be read from a cell: the NK rule, or the p % rule."""
    near = spot.top > 0 and 1 - spot.two < rules.p_percent / 100 * spot.top
    return near or spot.two > rules.dominance_percent / 100


def _undeclared(shown: Sequence[Spot], made: Layout, below: int, smallest: int) -> Iterator[Finding]:
    """Find numbers that the recipe says it hides, and the file shows: the ledger goes by what is shown."""
    for spot in shown:
        if spot.people and is_small(spot, below) and not is_small(spot, smallest):
            yield block(
                "recompute.suppressed",
                f"만든 방법(recipe)은 {below}명 미만인 칸을 가린다는데 보입니다. ansim이 저장한 파일을 제출하세요.",
                f"The recipe hides cells below {below}, and this one is shown. Submit the file as ansim saved it.",
                place=_place(spot, made),
            )


def _with_cause(
    hidden: Sequence[Spot], lines: Mapping[Spot, tuple[tuple[Spot, ...], ...]], below: int
) -> set[tuple[int, int]]:
    """Return the hidden cells that are small, and those that share a line with one that has a cause itself."""
    gone, found = set(hidden), {spot for spot in hidden if is_small(spot, below)}
    waiting = list(found)
    while waiting:
        beside = {other for line in lines[waiting.pop()] for other in line} & gone
        waiting += beside - found
        found |= beside
    return {(spot.row, spot.across) for spot in found}


def _needless(
    hidden: Sequence[Spot], lines: Mapping[Spot, tuple[tuple[Spot, ...], ...]], made: Layout, below: int | None
) -> Iterator[Finding]:
    with_cause = set() if below is None else _with_cause(hidden, lines, below)
    for spot in hidden:
        if (spot.row, spot.across) not in with_cause:
            yield block(
                "recompute.suppressed",
                "가릴 까닭이 없는 칸이 가려져 있습니다. 만든 방법(recipe)대로 저장한 파일을 제출하세요.",
                "A cell is hidden that is neither small nor needed to protect one. Submit the file as ansim saved it.",
                place=_place(spot, made),
            )


def _half_hidden(shown: Sequence[Spot], hidden: Sequence[Spot], made: Layout) -> Iterator[Finding]:
    """Find measures that are shown of a cell of which another is hidden: from one the other can be told."""
    gone = {(spot.row, spot.across) for spot in hidden}
    for spot in shown:
        if (spot.row, spot.across) in gone and spot.people:
            yield block(
                "recompute.half-hidden",
                "같은 칸의 다른 값은 가려져 있습니다. 한 칸의 모든 값을 함께 가리세요.",
                "Another number of this very cell is hidden. Hide all numbers of a cell, or none.",
                place=_place(spot, made),
            )


def _given_back(
    hidden: Sequence[Spot], lines: Mapping[Spot, tuple[tuple[Spot, ...], ...]], made: Layout, below: int
) -> Iterator[Finding]:
    gone = set(hidden)
    for spot in hidden:
        for line in lines[spot]:
            lost = [other for other in line if other in gone]
            if line[-1] in gone or (len(lost) > 1 and sum(_adding(other) for other in lost) >= below):
                continue
            if spot.people > 0 and is_small(spot, below):
                yield block(
                    "recompute.recoverable",
                    "가린 칸이 합계에서 되살아납니다. 같은 줄의 다른 칸도 가리거나 합계를 빼세요.",
                    "The hidden cell follows from the total of its line. Hide a second cell, or drop the totals.",
                    place=_place(spot, made),
                )
                break


def _adding(spot: Spot) -> int:
    """Return how many people a cell brings into the sum of a line; an extreme value adds up to nothing."""
    return spot.people if spot.measure.op in EXTREMES else min(spot.people, spot.alone)


def _place(spot: Spot, made: Layout) -> str:
    return cell_place(spot.row, spot.column, made.head[spot.column])
