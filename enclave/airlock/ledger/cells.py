"""What the ledger compares: the people behind each released number, in groups of cells that share nobody.

A released number is a function of the people in its cell (its *population*), whatever was counted, summed or fitted.
People are integers: their place in the data set's own list of people (`enclave.airlock.ledger.people`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

Ranks = npt.NDArray[np.uint32]
PERSONS = "persons"
# A recipe whose cells overlap (visits by year) falls apart into groups; beyond so many, cells are compared singly.
MAX_GROUPS = 6


class Told(StrEnum):
    """What a file says of a cell: its measures; their sum with other hidden cells; a count, in a sum; a model's fit."""

    CELL = "cell"
    HIDDEN_SUM = "hidden sum"
    COUNT_IN_SUM = "count in sum"
    SAMPLE = "sample"
    LEVEL = "level"


@dataclass(frozen=True)
class Cell:
    """One number's population. `label` names the cell to people and never holds a value of a data subject's own.

    `column`: what its measures are of, or a model's response or term; None for rows and people themselves. `few`: of a
    sum of hidden cells the people of the smallest, of a model's level how many lack a value; of all others 0.
    """

    label: str
    people: BitMap
    column: str | None = None
    told: Told = Told.CELL
    few: int = 0


@dataclass(frozen=True)
class Origin:
    """Where a population was published or is asked for: ids of release, request and project, and the file's name.

    `known`: nobody published it, everybody knows it (all people of a snapshot). `model`: the cell is the estimation
    sample of a model, which says less about a difference than a count does. `measure`: what was added up; only numbers
    of one measure can be subtracted from each other.
    """

    release: str = ""
    request: str = ""
    project: str = ""
    file: str = ""
    known: bool = False
    model: bool = False
    measure: str = PERSONS


@dataclass(frozen=True)
class Group:
    """Cells that share nobody, so that every union of them has a published value; a loose cell is a group of one."""

    origin: Origin
    cells: tuple[Cell, ...]
    loose: bool = field(default=False)


def ranks(people: BitMap) -> Ranks:
    """Return the members in ascending order, shape (n,)."""
    return np.frombuffer(people.to_array(), dtype=np.uint32) if people else np.empty(0, np.uint32)


def groups(origin: Origin, cells: Iterable[Cell], *, smallest: int) -> list[Group]:
    """Put one recipe's cells, in their order, into groups that share nobody.

    Cells of fewer than `smallest` people are left out: they are another rule's business, and a sum over them is caught
    as the difference that they are.
    """
    open_: list[tuple[list[Cell], BitMap]] = []
    loose: list[Cell] = []
    for cell in cells:
        if len(cell.people) < smallest:
            continue
        place = next((each for each in open_ if each[1].isdisjoint(cell.people)), None)
        if place is not None:
            place[0].append(cell)
            place[1].update(cell.people)
        elif len(open_) < MAX_GROUPS:
            open_.append(([cell], cell.people.copy()))
        else:
            loose.append(cell)
    return [Group(origin, tuple(each)) for each, _ in open_] + [Group(origin, (one,), loose=True) for one in loose]
