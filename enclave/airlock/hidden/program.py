"""One connected part of a system as a linear program, solved by HiGHS with one thread (the sealed child has no other).

Least and greatest value of a cell over all whole-number tables that a reader could imagine: the attacker's problem of
cell suppression (Fischetti and Salazar, Management Science 47, 2001). The relaxation without whole numbers is solved
first; tables with one or two dimensions need no more, others are solved again by branch and bound, within a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from enclave.airlock.hidden.system import Cell, Equation, Range

TOLERANCE = 1e-5
NODES, SECONDS = 2_000, 5.0
BEYOND = 1_000  # how far above everything known an unlimited cell may reach: far enough to be "unlimited"


@dataclass(frozen=True)
class Extreme:
    """One end of a cell's range. ``point``: a whole-number table that shows it, None where none was found.

    ``bound``: proven, never inside the true end. ``pinned``: the equations that hold the cell there.
    """

    bound: float
    point: NDArray[np.float64] | None
    pinned: tuple[Equation, ...]


class Program:
    """The linear program of some cells that share equations."""

    def __init__(self, cells: list[Cell], ranges: dict[Cell, Range], equations: list[Equation]) -> None:
        self.cells, self.equations = cells, equations
        self.index = {cell: number for number, cell in enumerate(cells)}
        self._fixed = {cell: known.low for cell, known in ranges.items() if known.is_exact}
        self._cap = float(sum(known.high or 0 for known in ranges.values()) + BEYOND)
        self._model = self._lp(ranges)
        self._simple = new_solver()
        self._simple.passModel(self._model)

    def is_possible(self) -> bool:
        """Whether any table fits at all."""
        self._simple.run()
        return bool(self._simple.getModelStatus() == highspy.HighsModelStatus.kOptimal)

    def extreme(self, cell: Cell, *, greatest: bool) -> Extreme | None:
        """Return the least or greatest value of a cell; None when the solver gave up."""
        solver = self._simple
        found = self._run(solver, cell, greatest=greatest)
        if found is None:
            return None
        values, duals = np.array(found.col_value), np.array(found.row_dual)
        pinned = tuple(each for each, dual in zip(self.equations, duals, strict=True) if abs(dual) > TOLERANCE)
        bound = float(values[self.index[cell]])
        if np.all(np.abs(values - np.rint(values)) < TOLERANCE):
            return Extreme(bound, np.rint(values), pinned)
        return self._branch(cell, bound, greatest=greatest)

    @cached_property
    def _whole(self) -> Any:
        self._model.integrality_ = [highspy.HighsVarType.kInteger] * len(self.cells)
        solver = new_solver()
        solver.passModel(self._model)
        return solver

    def _branch(self, cell: Cell, bound: float, *, greatest: bool) -> Extreme:
        found = self._run(self._whole, cell, greatest=greatest, limited=True)
        info = self._whole.getInfo()
        if np.isfinite(info.mip_dual_bound):
            bound = info.mip_dual_bound
        if found is None or len(found.col_value) != len(self.cells) or not np.isfinite(info.objective_function_value):
            return Extreme(bound, None, tuple(self.equations))
        return Extreme(bound, np.rint(np.array(found.col_value)), tuple(self.equations))

    def _run(self, solver: Any, cell: Cell, *, greatest: bool, limited: bool = False) -> Any:
        place = self.index[cell]
        cost = np.zeros(len(self.cells))
        cost[place] = 1.0
        solver.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        solver.changeObjectiveSense(highspy.ObjSense.kMaximize if greatest else highspy.ObjSense.kMinimize)
        solver.run()
        is_best = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return solver.getSolution() if is_best or limited else None

    def _lp(self, ranges: dict[Cell, Range]) -> Any:
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cells), len(self.equations)
        lp.col_cost_ = np.zeros(len(self.cells))
        lp.col_lower_ = np.array([float(ranges[cell].low) for cell in self.cells])
        highs = (ranges[cell].high for cell in self.cells)
        lp.col_upper_ = np.array([self._cap if high is None else float(high) for high in highs])
        starts, indices, values, sides = [0], [], [], []
        for each in self.equations:
            row = self._row(each)
            indices += [place for place, value in row.items() if value]
            values += [value for value in row.values() if value]
            starts.append(len(indices))
            sides.append(self._known(each.right) - self._known(each.left))
        lp.row_lower_ = lp.row_upper_ = np.array(sides, dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        lp.a_matrix_.index_ = np.array(indices, dtype=np.int32)
        lp.a_matrix_.value_ = np.array(values, dtype=float)
        return lp

    def _row(self, equation: Equation) -> dict[int, float]:
        row: dict[int, float] = {}
        for side, sign in ((equation.left, 1.0), (equation.right, -1.0)):
            for cell in side:
                if cell not in self._fixed:
                    row[self.index[cell]] = row.get(self.index[cell], 0.0) + sign
        return row

    def _known(self, cells: tuple[Cell, ...]) -> int:
        return sum(self._fixed.get(cell, 0) for cell in cells)


def new_solver() -> Any:
    """Return a HiGHS solver as the sealed child can run it: silent, one thread, always the same answer."""
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # a binding without types
    settings = {"output_flag": False, "log_to_console": False, "threads": 1, "parallel": "off", "random_seed": 0}
    settings |= {"time_limit": SECONDS, "mip_max_nodes": NODES, "mip_rel_gap": 0.0}
    for name, value in settings.items():
        solver.setOptionValue(name, value)
    return solver
