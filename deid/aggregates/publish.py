"""From a table and a request to published figures: rows of each patient are bounded, then every query is measured.

How a patient's rows are chosen depends on that patient alone (the first ones in the table's order), as stability needs.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from deid.aggregates.mechanisms import (
    MECHANISM,
    Whole,
    binned,
    noisy_count,
    noisy_histogram,
    noisy_mean,
    noisy_sum,
)
from deid.aggregates.spec import Query, Spec
from deid.errors import SourceError


def check_columns(spec: Spec, frame: pl.LazyFrame) -> None:
    """Raise `SourceError` for a column that is not there or not of the kind a query needs, before anything is spent."""
    schema = frame.collect_schema()
    needed = [(spec.patient, False)]
    for query in spec.queries:
        numeric = query.kind in {"sum", "mean"} or bool(query.edges)
        needed += [(query.column, numeric)] if query.column else []
        needed += [(column, False) for column, _ in query.where]
    for column, numeric in needed:
        if column not in schema or (numeric and not schema[column].is_numeric()):
            raise SourceError(
                (spec.table, 0, -1),
                "column",
                (
                    f"열 {column}이(가) 없거나 수가 아닙니다.",
                    f"there is no column {column}, or it holds no numbers.",
                ),
                remedy=("요청의 열 이름을 고치세요.", "Mend the request's columns."),
            )


def results_of(spec: Spec, frame: pl.LazyFrame) -> list[Mapping[str, Any]]:
    """Measure every query once. Each result says its ε, δ, mechanism and noise."""
    return [_result(query, spec, frame) for query in spec.queries]


def _result(query: Query, spec: Spec, frame: pl.LazyFrame) -> Mapping[str, Any]:
    said = {"name": query.name, "kind": query.kind, "column": query.column, "of": query.of}
    price = {"epsilon": query.epsilon, "delta": 0.0, "mechanism": MECHANISM}
    rows = spec.rows_per_patient
    if query.kind == "count":
        entries = _entries(query, spec, frame)
        # A patient is one entry, however many rows there are.
        bound = 1 if query.of == "patients" else rows
        return {**said, **noisy_count(entries, bound, query.epsilon).plain(), **price}
    if query.kind == "histogram":
        bins = query.values or [f"{low:g}-{high:g}" for low, high in itertools.pairwise(query.edges)]
        counted = noisy_histogram(_entries(query, spec, frame), len(bins), rows, query.epsilon)
        return {**said, "bins": {name: each.plain() for name, each in zip(bins, counted, strict=True)}, **price}
    values = _multiples(query, spec, frame)
    if query.kind == "mean":
        return {**said, **noisy_mean(values, query, rows), **price}
    return {**said, **noisy_sum(values, query, rows, query.epsilon).plain(), **price}


def _bounded(query: Query, spec: Spec, frame: pl.LazyFrame) -> pl.DataFrame:
    """Keep the rows that the query is about, at most so many of a patient."""
    for column, values in query.where:
        frame = frame.filter(pl.col(column).cast(pl.String).is_in(list(values)))
    columns = [spec.patient, *([query.column] if query.column else [])]
    frame = frame.select(list(dict.fromkeys(columns)))
    if query.kind in {"sum", "mean"}:
        frame = frame.filter(pl.col(query.column).is_not_null() & pl.col(query.column).is_finite())
    kept = frame.filter(pl.int_range(pl.len()).over(spec.patient) < spec.rows_per_patient)
    return kept.filter(pl.col(spec.patient).is_not_null()).collect()


def _entries(query: Query, spec: Spec, frame: pl.LazyFrame) -> Whole:
    """One number for each entry that is counted: 0 for a count, the bin for a histogram."""
    found = _bounded(query, spec, frame)
    if query.of == "patients":
        found = found.unique(maintain_order=True)
    if query.kind == "count":
        count = found[spec.patient].n_unique() if query.of == "patients" else found.height
        return np.zeros(count, np.int64)
    if query.edges:
        bins = binned(found[query.column].to_list(), query.edges)
    else:
        number = {value: place for place, value in enumerate(query.values)}
        texts = found[query.column].cast(pl.String).to_list()
        bins = np.array([number.get(text, -1) for text in texts], np.int64)
    if query.of == "patients":
        # Two values in one bin are one patient in it.
        pairs = found.select(spec.patient).with_columns(pl.Series("bin", bins)).unique()
        bins = pairs["bin"].cast(pl.Int64).to_numpy()
    return bins


def _multiples(query: Query, spec: Spec, frame: pl.LazyFrame) -> Whole:
    values = _bounded(query, spec, frame)[query.column].cast(pl.Float64).to_numpy()
    clamped = np.clip(values, *query.bounds)
    multiples: Whole = np.rint(clamped / query.step).astype(np.int64)
    return multiples
