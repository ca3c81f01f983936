"""Which hidden counts a reader can work out, exactly or too closely, from everything else in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from enclave.airlock.hidden.program import TOLERANCE, Extreme, Program
from enclave.airlock.hidden.system import Cell, Equation, Range, System, holds

MOST_CELLS, MOST_SOLVES = 4_000, 3_000


@dataclass(frozen=True)
class Exposed:
    """A hidden small count that follows from others, up to ``range``; ``equations``: those it follows from."""

    cell: Cell
    range: Range
    equations: tuple[Equation, ...]


@dataclass(frozen=True)
class Outcome:
    """What a search came to. ``unproven``: cells about which the solver's limits left no answer."""

    exposed: tuple[Exposed, ...] = ()
    unproven: tuple[Cell, ...] = ()
    impossible: tuple[Cell, ...] = ()


@dataclass
class _Budget:
    solves: int = MOST_SOLVES


@dataclass
class _Seen:
    """The least and greatest value of each cell over all tables met so far: each is a possible one."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def add(self, point: NDArray[np.float64] | None) -> None:
        if point is not None:
            self.low, self.high = np.minimum(self.low, point), np.maximum(self.high, point)

    def is_enough(self, place: int, need: Need) -> bool:
        return bool(np.isfinite(self.high[place])) and need.is_wide(self.low[place], self.high[place])


@dataclass(frozen=True)
class Need:
    """When a hidden count is safe: it may be ``min_cell`` or more, or its range is at least ``width`` wide."""

    min_cell: int
    width: int = field(default=0)

    @classmethod
    def of(cls, min_cell: int) -> Need:
        """Return the protection for a minimum count: half of it, which a published "<10" (0 to 9) has twice over."""
        return cls(min_cell, max(2, min_cell // 2))

    def is_wide(self, low: float, high: float) -> bool:
        """Whether a count that can be anything from ``low`` to ``high`` is hidden well enough."""
        return high >= self.min_cell or high - low >= self.width

    def is_met(self, low: float, high: float) -> bool:
        """Whether a range gives nothing away: it is wide, or a certain zero, in which nobody is counted."""
        return high <= 0 or self.is_wide(low, high)


def exposed(system: System, need: Need) -> Outcome:
    """Return the hidden cells that are not safe. Pure; at most 3,000 linear programs, then what is left is unproven."""
    system = replace(system, equations=tuple(_usable(system)))
    found: list[Exposed] = []
    unproven: list[Cell] = []
    impossible: list[Cell] = []
    budget = _Budget()
    for cells, equations in _parts(system):
        wanted = [cell for cell in cells if cell in system.hidden]
        program = Program(cells, system.ranges, equations) if len(cells) <= MOST_CELLS else None
        if program is None or not program.is_possible():
            (unproven if program is None else impossible).extend(wanted)
            continue
        for verdict in _search(program, wanted, need, budget):
            if isinstance(verdict, Exposed):
                found.append(verdict)
            else:
                unproven.append(verdict)
    found += _together(system, need, {each.cell for each in found})
    return Outcome((*found, *_alone(system, need)), tuple(unproven), tuple(impossible))


def _usable(system: System) -> Iterator[Equation]:
    # An equation that cannot hold is none: categories overlap, or someone was left out of them.
    for equation in system.equations:
        if holds(equation, system.ranges) is not False and _free(equation, system):
            yield equation


def _free(equation: Equation, system: System) -> list[Cell]:
    return [cell for cell in equation.cells if not system.ranges[cell].is_exact]


def _parts(system: System) -> Iterator[tuple[list[Cell], list[Equation]]]:
    # Connected parts: cells that share no equation say nothing about each other.
    links = [_free(equation, system) for equation in system.equations]
    find = _joined(links)
    cells: dict[Cell, set[Cell]] = {}
    rows: dict[Cell, list[Equation]] = {}
    for equation, free in zip(system.equations, links, strict=True):
        cells.setdefault(find(free[0]), set()).update(free)
        rows.setdefault(find(free[0]), []).append(equation)
    for key, members in cells.items():
        if not system.hidden.isdisjoint(members):
            yield sorted(members), rows[key]


def _joined(links: list[list[Cell]]) -> Callable[[Cell], Cell]:
    # Union and find (Tarjan 1975), with paths halved.
    root: dict[Cell, Cell] = {}

    def find(cell: Cell) -> Cell:
        while root.setdefault(cell, cell) != cell:
            root[cell] = root[root[cell]]
            cell = root[cell]
        return cell

    for free in links:
        for cell in free:
            root[find(cell)] = find(free[0])
    return find


def _search(program: Program, wanted: list[Cell], need: Need, budget: _Budget) -> Iterator[Exposed | Cell]:
    # An exposed cell, or one about which nothing could be said; nothing for the safe ones.
    size = len(program.cells)
    seen = _Seen(np.full(size, np.inf), np.full(size, -np.inf))
    for cell in wanted:
        ends = _ends(program, cell, need, seen, budget)
        if seen.is_enough(program.index[cell], need):
            continue
        verdict = _verdict(cell, ends, need)
        if verdict is not None:
            yield verdict


def _ends(program: Program, cell: Cell, need: Need, seen: _Seen, budget: _Budget) -> list[Extreme]:
    # The greatest, then the least value, as long as no table met so far has shown that the cell is safe.
    ends: list[Extreme] = []
    for greatest in (True, False):
        if seen.is_enough(program.index[cell], need) or budget.solves <= 0:
            break
        budget.solves -= 1
        end = program.extreme(cell, greatest=greatest)
        if end is None:
            break
        seen.add(end.point)
        ends.append(end)
    return ends


def _verdict(cell: Cell, ends: list[Extreme], need: Need) -> Exposed | Cell | None:
    if len(ends) < 2:  # noqa: PLR2004 - both ends, or no answer
        return cell
    high, low = int(np.floor(ends[0].bound + TOLERANCE)), int(np.ceil(ends[1].bound - TOLERANCE))
    if not need.is_met(low, high):
        return Exposed(cell, Range(low, high), tuple(dict.fromkeys(ends[0].pinned + ends[1].pinned)))
    # Wide by proven bounds, while no table was found that shows it: no answer either.
    return cell if high > 0 else None


def _alone(system: System, need: Need) -> Iterator[Exposed]:
    # Cells in no equation that a printed percentage gives away.
    held = {cell for equation in system.equations for cell in equation.cells}
    for cell in sorted(system.narrowed - held):
        known = system.ranges[cell]
        if known.high is not None and not need.is_met(known.low, known.high):
            yield Exposed(cell, known, ())


def _together(system: System, need: Need, known: set[Cell]) -> Iterator[Exposed]:
    # Hidden cells whose sum follows are together one published count: two hidden cells with four people in both.
    for equation in system.equations:
        for side, other in ((equation.left, equation.right), (equation.right, equation.left)):
            hidden = [cell for cell in side if cell in system.hidden]
            if not hidden or any(cell in system.hidden for cell in other):
                continue
            rest = _rest(side, other, system)
            if rest is None or need.is_met(rest.low, rest.high or 0):
                continue
            for cell in hidden:
                if cell not in known:
                    known.add(cell)
                    yield Exposed(cell, rest, (equation,))


def _rest(side: tuple[Cell, ...], other: tuple[Cell, ...], system: System) -> Range | None:
    shown = [system.ranges[cell] for cell in side if cell not in system.hidden]
    across = [system.ranges[cell] for cell in other]
    if any(known.high is None for known in (*shown, *across)):
        return None
    low = sum(known.low for known in across) - sum(known.high or 0 for known in shown)
    high = sum(known.high or 0 for known in across) - sum(known.low for known in shown)
    return Range(max(0, low), high)
