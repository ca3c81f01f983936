"""Secondary suppression: the fewest and least further cells to hide so that no hidden count follows from the rest.

Cutting planes after Fischetti and Salazar (Management Science 47, 2001): each cell that is still exposed names the
equations that pin it; of the shown cells in those equations at least one must be hidden too. The cheapest choice that
satisfies all such conditions found so far is tried next (a covering problem for HiGHS), until nothing is exposed.
Each condition is a necessary one, so what is found is the cheapest of all choices, up to the solver's node limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import highspy
import numpy as np

from enclave.airlock.hidden.exposed import Need, exposed
from enclave.airlock.hidden.program import new_solver
from enclave.airlock.hidden.system import Cell, System

ROUNDS = 60
TOTAL_COST = 3.0


class NoChoice(Exception):  # noqa: N818 - named for what happened
    """Nothing that could be hidden protects the small counts."""


def choose(system: System, values: Mapping[Cell, int], first: frozenset[Cell], need: Need) -> frozenset[Cell]:
    """Return all cells to hide: ``first`` and the secondary ones. ``values``: the shown counts.

    A cell costs one plus its part of all that is counted; a total costs more, zeros are not used unless nothing else
    is left. Pure. Raises `NoChoice`.
    """
    wholes = {cell for equation in system.equations for cell in equation.left if len(equation.left) == 1}
    everything = sum(values.values()) or 1
    costs = {cell: 1 + value / everything + (TOTAL_COST if cell in wholes else 0) for cell, value in values.items()}
    costs |= {cell: cost + len(costs) for cell, cost in costs.items() if not values[cell]}
    cuts: list[frozenset[Cell]] = []
    chosen: frozenset[Cell] = frozenset()
    for _ in range(ROUNDS):
        outcome = exposed(system.hiding(first | chosen), need)
        if outcome.unproven:
            raise NoChoice
        if not outcome.exposed:
            return first | chosen
        for each in outcome.exposed:
            shown = {cell for equation in each.equations for cell in equation.cells if cell in costs}
            cut = frozenset(shown - first - chosen - system.hidden)
            if not cut:
                raise NoChoice
            cuts.append(cut)
        chosen = _cover(list(dict.fromkeys(cuts)), costs)
    raise NoChoice


def _cover(cuts: list[frozenset[Cell]], costs: Mapping[Cell, float]) -> frozenset[Cell]:
    cells = sorted({cell for cut in cuts for cell in cut})
    place = {cell: number for number, cell in enumerate(cells)}
    lp: Any = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cells), len(cuts)
    lp.col_cost_ = np.array([costs[cell] for cell in cells])
    lp.col_lower_, lp.col_upper_ = np.zeros(len(cells)), np.ones(len(cells))
    lp.row_lower_, lp.row_upper_ = np.ones(len(cuts)), np.full(len(cuts), float(len(cells)))
    lp.integrality_ = [highspy.HighsVarType.kInteger] * len(cells)
    members = [sorted(place[cell] for cell in cut) for cut in cuts]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *map(len, members)]).astype(np.int32)
    lp.a_matrix_.index_ = np.array([index for row in members for index in row], dtype=np.int32)
    lp.a_matrix_.value_ = np.ones(sum(map(len, members)))
    solver = new_solver()
    solver.passModel(lp)
    solver.run()
    values = np.array(solver.getSolution().col_value)
    if len(values) != len(cells):
        raise NoChoice
    return frozenset(cell for cell, value in zip(cells, values, strict=True) if value > 0.5)  # noqa: PLR2004 - yes or no
