"""Filters and keys over a `Frame`: which rows count, and to which group each belongs. Values are data, never code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from enclave.airlock.recipes.form import AllOf, AnyOf, Bands, RecipeRefused
from enclave.airlock.recompute.frame import Array, Column, Frame

EPOCH, EPOCH_DAY = datetime(1970, 1, 1), date(1970, 1, 1).toordinal()  # noqa: DTZ001 - snapshots hold local times
COMPARE = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


@dataclass(frozen=True)
class Key:
    """One way to group: for each row the position of its label, or -1 without one. ``labels`` in their order."""

    name: str
    codes: Array
    labels: tuple[str, ...]


def choose(frame: Frame, filters: Sequence[Any]) -> Array:
    """Return which rows hold all ``filters``; a comparison with a missing value never holds. Raises `RecipeRefused`."""
    return reduce(np.logical_and, (_one(frame, one) for one in filters), np.ones(frame.rows, dtype=bool))


def key(frame: Frame, name: str, bands: Bands | None) -> Key:
    """Return a column, or bands cut from one, as a key. Raises `RecipeRefused`."""
    if bands is not None:
        return _banded(frame, name, bands)
    column = column_of(frame, name)
    if column.kind == "text":
        return Key(name, np.where(column.valid, column.values, -1), column.levels)
    found, codes = np.unique(column.values[column.valid], return_inverse=True)
    spread = np.full(frame.rows, -1, dtype=np.int64)
    spread[column.valid] = codes
    return Key(name, spread, tuple(label(column.kind, value) for value in found.tolist()))


def column_of(frame: Frame, name: str) -> Column:
    """Return a column; raises `RecipeRefused` if it is not there."""
    if name not in frame.columns:
        raise RecipeRefused(f"‘{name}’ 열이 없습니다.", f"There is no column ‘{name}’.")
    return frame.columns[name]


def label(kind: str, value: float) -> str:
    """Return a value as tables print it: ``40``, ``40.5``, ``2020-01-31``, ``True``."""
    if kind == "date":
        return date.fromordinal(int(value) + EPOCH_DAY).isoformat()
    if kind == "time":
        return str(np.datetime64(int(value), "us"))
    if kind == "bool":
        return str(bool(value))
    return number_label(value)


def number_label(value: float) -> str:
    """Return a number without a needless point: ``40`` for 40.0."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def band_labels(bands: Bands) -> tuple[str, ...]:
    """Return the labels of bands in order: ``[0,40)``, or ``(0,40]`` if closed on the right."""
    cuts = [cut if isinstance(cut, str) else number_label(cut) for cut in bands.cuts]
    left, right = ("(", "]") if bands.right else ("[", ")")
    return tuple(f"{left}{low},{high}{right}" for low, high in pairwise(cuts))


def _banded(frame: Frame, name: str, bands: Bands) -> Key:
    column = column_of(frame, bands.column)
    if column.kind in {"text", "bool"}:
        raise RecipeRefused(
            f"‘{bands.column}’은(는) 구간으로 나눌 수 없습니다.", f"‘{bands.column}’ has no order to cut."
        )
    cuts = np.array([_value(column, bands.column, cut) for cut in bands.cuts])
    if not np.all(np.diff(cuts) > 0):
        raise RecipeRefused(f"‘{name}’의 경계가 커지는 순서가 아닙니다.", f"The cuts of ‘{name}’ do not rise.")
    codes = np.searchsorted(cuts, column.values, side="left" if bands.right else "right") - 1
    inside = column.valid & (codes >= 0) & (codes < len(cuts) - 1)
    return Key(name, np.where(inside, codes, -1), band_labels(bands))


def _one(frame: Frame, one: Any) -> Array:
    if isinstance(one, AllOf):
        return choose(frame, one.all)
    if isinstance(one, AnyOf):
        return reduce(np.logical_or, (_one(frame, inner) for inner in one.any))
    name, op, value = one
    column = column_of(frame, name)
    if op in {"null", "not null"}:
        return ~column.valid if op == "null" else column.valid
    return _holds(column, name, op, value) & column.valid


def _holds(column: Column, name: str, op: str, value: Any) -> Array:
    if op == "in":
        return reduce(np.logical_or, (_holds(column, name, "==", one) for one in value))
    if op == "between":
        return _holds(column, name, ">=", value[0]) & _holds(column, name, "<=", value[1])
    wanted = _value(column, name, value)
    if column.kind != "text":
        return np.asarray(COMPARE[op](column.values, wanted))
    # Compared once for each different text, not for each row.
    holds = np.array([bool(COMPARE[op](0, 0)) if one == wanted else _differs(op, one, wanted) for one in column.levels])
    return holds[column.values] if len(holds) else np.zeros(len(column.values), dtype=bool)


def _differs(op: str, one: str, wanted: str) -> bool:
    return op == "!=" or (op in {"<", "<="} and one < wanted) or (op in {">", ">="} and one > wanted)


def _value(column: Column, name: str, value: Any) -> Any:
    """Return what a column's values are compared with. Raises `RecipeRefused` where the kinds differ."""
    kind, of = column.kind, type(value)
    if kind == "text" and of is str:
        return value
    if kind == "bool" and of is bool:
        return int(value)
    if kind in {"whole", "number"} and of in {int, float}:
        return value
    try:
        if kind == "date" and of is str:
            return date.fromisoformat(value).toordinal() - EPOCH_DAY
        if kind == "time" and of is str:
            return round((datetime.fromisoformat(value).replace(tzinfo=None) - EPOCH).total_seconds() * 1_000_000)
    except ValueError:
        pass
    raise RecipeRefused(
        f"‘{name}’ 열({kind})을 다른 종류의 값과 비교했습니다.",
        f"The column ‘{name}’ ({kind}) is compared with a value of another kind.",
    )
