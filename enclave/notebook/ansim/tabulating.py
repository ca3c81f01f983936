"""Group-by tables and cross tables that carry their recipe (ACRO's words: crosstab, pivot_table, aggfunc).

    ansim.table("nafld/patients", index="age_band", columns="sex")
    ansim.table("nafld/labs", index="test", values="value", aggfunc=["count", "mean"], where="value > 0").save("t2.csv")

Cells of too few people are hidden, with others where a total would give them back; rows and columns of too few are
left out. The checker makes the same table on the signed snapshot and compares every cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .conditions import Where, conditions
from .failure import AnsimError
from .frames import PERSON, Data, coded, load, source, table_of
from .made import Made, hidden_note

FORMAT, TOTAL, HIDDEN = "ansim-recipe-v1", "total", "*"
OPS = ("count", "persons", "sum", "mean", "std", "median", "min", "max")
Names = str | Sequence[str] | None
Bands = Mapping[str, tuple[str, Sequence[Any]]]


def table(  # noqa: PLR0913 - the words of a table, all but the first by name
    data: Data,
    index: Names,
    columns: Names = None,
    values: Names = None,
    aggfunc: Names = "count",
    *,
    where: Where = None,
    join: str | None = None,
    bands: Bands | None = None,
    margins: bool = False,
    decimals: int = 2,
    base: int = 1,
    suppress: bool = True,
) -> Made:
    """Make a table of groups. ``index``: down, ``columns``: across, ``values`` and ``aggfunc``: what the cells say.

    ``aggfunc``: count, persons, sum, mean, std, median, min, max. ``join``: another table of the data set with one row
    per person; its columns are ``<table>.<column>``. ``bands``: ``{"age_group": ("age", [0, 40, 80])}``. ``base``:
    counts are rounded to its multiples. Raises `AnsimError`.
    """
    found = table_of(data)
    dataset, _, name = found.name.partition("/")
    origin = source(dataset)
    recipe = {
        "format": FORMAT,
        "kind": "table",
        "snapshot": origin.snapshot,
        "dataset": dataset,
        "table": name,
        "join": join,
        "filter": conditions(where),
        "bands": {key: {"column": of, "cuts": list(cuts), "right": False} for key, (of, cuts) in (bands or {}).items()},
        "keys": _names(index),
        "columns": _names(columns),
        "measures": _measures(_names(values), _names(aggfunc)),
        "margins": margins,
        "rounding": {"counts": base, "decimals": decimals},
        "suppressed": {"below": origin.min_cell} if suppress else None,
    }
    return _Work(recipe, load(found, recipe, _used(recipe))).made()


def remade(recipe: dict[str, Any]) -> Made:
    """Make the table of a recipe of this module anew. Raises `AnsimError`."""
    found = table_of(f"{recipe['dataset']}/{recipe['table']}")
    return _Work(recipe, load(found, recipe, _used(recipe))).made()


def crosstab(index: Names, columns: Names, data: Data, **more: Any) -> Made:
    """Make a cross table, with ACRO's name for it. Raises `AnsimError`."""
    return table(data, index, columns, **more)


def pivot_table(data: Data, values: Names = None, index: Names = None, columns: Names = None, **more: Any) -> Made:
    """Make a pivot table, with pandas' order of words; the mean if ``aggfunc`` is left out. Raises `AnsimError`."""
    return table(data, index, columns, values, **({"aggfunc": "mean"} | more))


def hist(data: Data, column: str, bins: Sequence[Any], **more: Any) -> Made:
    """Count people's rows in bands of a column: the numbers under a histogram. Raises `AnsimError`."""
    return table(data, f"{column}_band", bands={f"{column}_band": (column, bins)}, **more)


@dataclass
class _Work:
    """One table being made: the rows in groups, the cells, what is hidden."""

    recipe: dict[str, Any]
    frame: Any
    dropped: int = 0
    hidden: set[tuple[int, int]] = field(default_factory=set)

    def made(self) -> Made:
        down, self.sides = self._coded(self.recipe["keys"])
        across, self.heads = self._coded(self.recipe["columns"])
        there = (down >= 0) & (across >= 0)
        person = self.frame[PERSON] if PERSON in self.frame else self.frame.index.to_series()
        self.rows = self.frame.assign(_r=down, _c=across, _p=person)[there]
        self._drop_small()
        self.sides = self._present("_r", self.sides)
        self.heads = self._present("_c", self.heads) if self.recipe["columns"] else self.heads
        self.cells = [self._measured(measure) for measure in self.recipe["measures"]]
        if self.below:
            self._hide()
        return Made(self._head(), self._body(), self.recipe, hidden_note(self.below, len(self.hidden), self.dropped))

    @property
    def below(self) -> int:
        return self.recipe["suppressed"]["below"] if self.recipe["suppressed"] else 0

    def _coded(self, names: list[str]) -> tuple[Any, list[tuple[str, ...]]]:
        """Return the combinations of some columns numbered in their order (-1: one is missing), and labels."""
        import numpy as np  # noqa: PLC0415 - loaded only when it is asked for

        if not names:
            return np.zeros(len(self.frame), dtype=int), [()]
        parts = [coded(self.frame, name, self.recipe["bands"]) for name in names]
        missing = np.any([codes < 0 for codes, _ in parts], axis=0)
        found = sorted(set(zip(*(codes[~missing].tolist() for codes, _ in parts), strict=True)))
        place = {combination: at for at, combination in enumerate(found)}
        rows = zip(*(codes.tolist() for codes, _ in parts), strict=True)
        numbered = np.array([place.get(one, -1) for one in rows], dtype=int)
        return numbered, [tuple(parts[at][1][code] for at, code in enumerate(one)) for one in found]

    def _drop_small(self) -> None:
        """Leave out rows and columns of too few people, until none is left: a label alone tells too much."""
        while self.below:
            before = len(self.rows)
            for group in ("_r", "_c"):
                people = self.rows.groupby(group)["_p"].nunique()
                self.rows = self.rows[self.rows[group].isin(people[people >= self.below].index)]
            if len(self.rows) == before:
                return

    def _present(self, group: str, labels: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        left = sorted(self.rows[group].unique().tolist())
        self.dropped += len(labels) - len(left)
        self.rows = self.rows.assign(**{group: self.rows[group].map({code: at for at, code in enumerate(left)})})
        return [labels[code] for code in left]

    def _measured(self, measure: dict[str, Any]) -> dict[tuple[int, int], tuple[str, int]]:
        """Return, by row and column, what a cell says and how few people make it what it is."""
        column = measure["column"]
        rows = self.rows if column is None else self.rows[self.rows[column].notna()]
        zero = {at: ("0" if measure["op"] in {"count", "persons"} else "", 0) for at in self._places()}
        height, width = len(self.sides), len(self.heads)
        ways: list[tuple[list[str], Any]] = [(["_r", "_c"], lambda key: key)]
        if self.recipe["margins"]:
            ways.append((["_c"], lambda key: (height, key[0])))
        if self.recipe["margins"] and self.recipe["columns"]:
            ways.append((["_r"], lambda key: (key[0], width)))
            ways.append(([], lambda _: (height, width)))
        for by, where in ways:
            groups = rows.groupby(by) if by else [((), rows)] if len(rows) else []
            for key, group in groups:
                people = int(group["_p"].nunique())
                said = self._said(measure, group, people), min(people, _bearers(measure, group, people))
                zero[where(key if isinstance(key, tuple) else (key,))] = said
        return zero

    def _said(self, measure: dict[str, Any], group: Any, people: int) -> str:
        op, rounding = measure["op"], self.recipe["rounding"]
        if op in {"count", "persons"}:
            base, count = rounding["counts"], len(group) if op == "count" else people
            return str((2 * count + base) // (2 * base) * base)
        value = float(getattr(group[measure["column"]].astype(float), op)())
        return "" if value != value else fixed(value, rounding["decimals"])  # noqa: PLR0124 - NaN

    def _places(self) -> list[tuple[int, int]]:
        margins = bool(self.recipe["margins"])
        height = len(self.sides) + margins
        width = len(self.heads) + (margins and bool(self.recipe["columns"]))
        return [(row, column) for row in range(height) for column in range(width)]

    def _people(self, at: tuple[int, int]) -> int:
        """Return the fewest people behind any number of a cell; 0 where nobody is."""
        return min((cell[at][1] for cell in self.cells if cell[at][1]), default=0)

    def _hide(self) -> None:
        """Hide small cells, then the smallest others of their lines until no total gives one back."""
        self.hidden = {at for at in self._places() if 0 < self._people(at) < self.below}
        lines = self._lines()
        moved = True
        while moved:
            moved = False
            for line in lines:
                lost = [at for at in line if at in self.hidden]
                people = [sum(cell[at][1] for at in lost) for cell in self.cells]
                if line[-1] in self.hidden or not lost or (len(lost) > 1 and min(people) >= self.below):
                    continue
                rest = [at for at in line[:-1] if at not in self.hidden and self._people(at)]
                self.hidden.add(min(rest, key=self._people) if rest else line[-1])
                moved = True

    def _lines(self) -> list[list[tuple[int, int]]]:
        if not self.recipe["margins"]:
            return []
        places = self._places()
        down = [[at for at in places if at[1] == column] for column in sorted({column for _, column in places})]
        across = [[at for at in places if at[0] == row] for row in sorted({row for row, _ in places})]
        return down + (across if self.recipe["columns"] else [])

    def _head(self) -> tuple[str, ...]:
        names, measures = self.recipe["columns"], self.recipe["measures"]
        head = list(self.recipe["keys"])
        for measure in measures:
            label = measure["op"] if measure["column"] is None else f"{measure['op']}({measure['column']})"
            if not names:
                head.append(label)
                continue
            shown = [
                ", ".join(f"{name}={one}" for name, one in zip(names, labels, strict=True)) for labels in self.heads
            ]
            shown += [TOTAL] if self.recipe["margins"] else []
            head += shown if len(measures) == 1 else [f"{label} {one}" for one in shown]
        return tuple(head)

    def _body(self) -> tuple[tuple[str, ...], ...]:
        sides = [*self.sides]
        if self.recipe["margins"]:
            sides.append((TOTAL, *[""] * (len(self.recipe["keys"]) - 1)))
        width = max((column for _, column in self._places()), default=-1) + 1
        return tuple(
            (*side, *(self._text(cell, (row, column)) for cell in self.cells for column in range(width)))
            for row, side in enumerate(sides)
        )

    def _text(self, cell: dict[tuple[int, int], tuple[str, int]], at: tuple[int, int]) -> str:
        # A number nobody stands behind says nothing of anybody; it is left as it is.
        return HIDDEN if at in self.hidden and cell[at][1] else cell[at][0]


def _bearers(measure: dict[str, Any], group: Any, people: int) -> int:
    """Return how few of these people make a sum or mean: whose value is not 0, and of two values the rarer one's."""
    if measure["op"] not in {"sum", "mean", "std"}:
        return people
    values = group[measure["column"]].astype(float)
    by_value = group.groupby(values)["_p"]
    if by_value.ngroups <= 2:  # noqa: PLR2004 - a count in disguise
        return int(by_value.nunique().min())
    return int(group.loc[values != 0, "_p"].nunique()) or people


def fixed(value: float, decimals: int) -> str:
    """Print a number with so many decimals, and zero without a sign."""
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def _names(given: Names) -> list[str]:
    return [] if given is None else [given] if isinstance(given, str) else list(given)


def _measures(values: list[str], aggfunc: list[str]) -> list[dict[str, Any]]:
    unknown = [op for op in aggfunc if op not in OPS]
    if unknown or (not values and set(aggfunc) - {"count", "persons"}):
        raise AnsimError(
            "client.aggfunc",
            ko=f"aggfunc를 쓸 수 없습니다: {', '.join(unknown or aggfunc)}",
            en=f"This aggfunc cannot be used: {', '.join(unknown or aggfunc)}",
            remedy_ko=f"쓸 수 있는 것: {', '.join(OPS)}. count와 persons가 아니면 values도 주세요.",
            remedy_en=f"Use one of {', '.join(OPS)}; all but count and persons need values.",
        )
    if not values:
        return [{"op": op, "column": None} for op in aggfunc]
    counted = [{"op": "persons", "column": None}] if "persons" in aggfunc else []
    return counted + [{"op": op, "column": value} for value in values for op in aggfunc if op != "persons"]


def _used(recipe: dict[str, Any]) -> set[str]:
    named = {*recipe["keys"], *recipe["columns"], *(measure["column"] for measure in recipe["measures"])}
    return used_columns(recipe, named - {None})


def used_columns(recipe: dict[str, Any], named: set[str]) -> set[str]:
    """Return the columns of the data that a recipe reads: bands are cut from one, conditions name others."""
    bands, found = recipe["bands"], set(named)

    def walk(conditions_: list[Any]) -> None:
        for one in conditions_:
            if isinstance(one, dict):
                for inner in one.values():
                    walk(inner)
            else:
                found.add(one[0])

    walk(recipe["filter"])
    return {bands[name]["column"] if name in bands else name for name in found}
