"""An approved table as a data frame, filtered and joined exactly as the recipe says. pandas is loaded when needed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache, reduce
from itertools import pairwise
from typing import Any

from .failure import AnsimError
from .portal import ask
from .tables import Table, data

PERSON = "patient"
Data = str | Table


@dataclass(frozen=True)
class Source:
    """Which snapshot a data set is of, and how few people a cell may have."""

    snapshot: str
    min_cell: int


@cache
def source(dataset: str) -> Source:
    """Ask the portal which signed snapshot a data set of this workspace is of. Raises `AnsimError`."""
    told = ask("GET", "/data")
    found = told.get("datasets", {}).get(dataset)
    if found is None:
        raise AnsimError("client.no-table", ko=f"{dataset!r} 자료가 없습니다.", en=f"There is no data set {dataset!r}.")
    return Source(str(found["snapshot"]), int(told["min_cell"]))


def table_of(given: Data) -> Table:
    """Return the approved table that is meant. Raises `AnsimError`, also for a data frame, which has no recipe."""
    if isinstance(given, str | Table):
        return data()[given] if isinstance(given, str) else given
    raise AnsimError(
        "client.not-a-table",
        ko="승인된 표의 이름을 주세요. 직접 만든 데이터프레임은 다시 계산할 수 없습니다.",
        en="Give the name of an approved table: a data frame of your own cannot be recomputed.",
        remedy_ko='예: ansim.table("nafld/labs", index="test"). 이름은 ansim.data()로 봅니다.',
        remedy_en='For example ansim.table("nafld/labs", index="test"); ansim.data() lists the names.',
    )


def load(table: Table, recipe: dict[str, Any], used: set[str]) -> Any:
    """Return the rows that a recipe chooses, with the columns it uses; the joined ones as ``<table>.<column>``."""
    join = recipe.get("join")
    prefix = f"{join}." if join else "\0"
    there = sorted(name.removeprefix(prefix) for name in used if name.startswith(prefix))
    here = sorted(name for name in used if not name.startswith(prefix))
    own = [PERSON] if PERSON in table.columns else []
    frame = table.read(list(dict.fromkeys([*own, *here])))
    if there:
        other = data()[f"{recipe['dataset']}/{join}"].read(list(dict.fromkeys([PERSON, *there])))
        other = other.rename(columns={name: f"{join}.{name}" for name in there})
        frame = frame.merge(other, how="left", on=PERSON, validate="many_to_one")
    return frame[holds(frame, {"and": recipe["filter"]})] if recipe["filter"] else frame


def holds(frame: Any, condition: Any) -> Any:
    """Return which rows hold a condition; a comparison with a missing value never holds."""
    if isinstance(condition, dict):
        ((how, inner),) = condition.items()
        parts = [holds(frame, one) for one in inner]
        return reduce(lambda a, b: a & b, parts) if how == "and" else reduce(lambda a, b: a | b, parts)
    name, op, value = condition
    column = frame[name]
    there = column.notna()
    if op in {"null", "not null"}:
        return ~there if op == "null" else there
    if op == "in":
        return reduce(lambda a, b: a | b, [holds(frame, [name, "==", one]) for one in value])
    if op == "between":
        return holds(frame, [name, ">=", value[0]]) & holds(frame, [name, "<=", value[1]])
    known = column[there]
    wanted = _like(known, value)
    found = {
        "==": lambda: known == wanted,
        "!=": lambda: known != wanted,
        "<": lambda: known < wanted,
        "<=": lambda: known <= wanted,
        ">": lambda: known > wanted,
        ">=": lambda: known >= wanted,
    }[op]()
    return found.astype(bool).reindex(frame.index, fill_value=False)


def _like(column: Any, value: Any) -> Any:
    """Return a value as the column holds its own: days and moments are written as texts in a recipe."""
    first = column.iloc[0] if len(column) else None
    if isinstance(value, str) and isinstance(first, dt.datetime):
        return dt.datetime.fromisoformat(value)
    if isinstance(value, str) and isinstance(first, dt.date):
        return dt.date.fromisoformat(value)
    return value


def label(value: Any) -> str:
    """Return a value as tables print it: ``40``, ``40.5``, ``2020-01-31``, ``True``."""
    import numpy as np  # noqa: PLC0415 - loaded only when it is asked for

    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, dt.datetime):
        return str(np.datetime64(value.replace(tzinfo=None), "us"))
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, int | float | np.number):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def coded(frame: Any, name: str, bands: dict[str, Any]) -> tuple[Any, list[str]]:
    """Return a column as whole numbers in the order of its labels (-1: missing), and the labels."""
    import pandas as pd  # noqa: PLC0415 - loaded only when it is asked for

    if name not in bands:
        codes, found = pd.factorize(frame[name], sort=True)
        return codes, [label(one) for one in found]
    cuts, right = bands[name]["cuts"], bands[name]["right"]
    shown = [cut if isinstance(cut, str) else label(cut) for cut in cuts]
    left, close = ("(", "]") if right else ("[", ")")
    labels = [f"{left}{low},{high}{close}" for low, high in pairwise(shown)]
    column = frame[bands[name]["column"]]
    if isinstance(cuts[0], str):
        column, cuts = pd.to_datetime(column), pd.to_datetime(cuts)
    return pd.cut(column, cuts, right=right, labels=labels, ordered=True).cat.codes.to_numpy(), labels
