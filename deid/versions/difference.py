"""What is different from the version before: rows and patients in and out, columns, treatments, risk; never values.

A person whose pseudonym is in both versions stayed. After a rotation of the keys nobody can be followed, and then that
is said instead of a number (deid-tabular.md §6: what a steward expects of `diff v1 v2`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from deid.manifest import Table
from deid.versions.before import Before
from deid.write import Written

# Figures of the manifest's risk that are shown side by side.
RISK = ("rows_after", "subjects_after", "k_published", "unique_published", "prosecutor_max", "marketer")


def difference(
    before: Before | None,
    tables: Mapping[str, Table],
    written: Mapping[str, Written],
    risk: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, Any],
) -> dict[str, Any]:
    """Compare with the version before, by table; empty without one. `keys`: what this version was made with."""
    if before is None:
        return {}
    same_keys = dict(before.manifest.lineage.get("keys", {})) == dict(keys)
    found = {name: _table(before, name, table, written[name], same_keys=same_keys) for name, table in tables.items()}
    for name, figures in found.items():
        figures["risk"] = _risk(before.manifest.risk.get(name, {}), risk.get(name, {}))
    return {
        "same_keys": same_keys,
        "tables": found,
        "tables_removed": [name for name in before.manifest.tables if name not in tables],
    }


def _table(before: Before, name: str, table: Table, written: Written, *, same_keys: bool) -> dict[str, Any]:
    old = before.table(name)
    if old is None:
        people = {"patients_in": table.subjects, "patients_out": 0}
        columns: dict[str, Any] = {"columns_added": [], "columns_removed": [], "treatment_changed": {}}
        return {"new": True, "rows_in": table.rows, "rows_out": 0, **people, **columns, **_files(written)}
    changed = {
        column: [old.columns[column].treatment, about.treatment]
        for column, about in table.columns.items()
        if column in old.columns and old.columns[column].treatment != about.treatment
    }
    came, went = (written.came, written.went) if same_keys else (None, None)
    return {
        "new": False,
        "rows_in": came,
        "rows_out": went,
        **_people(before, name, table, written, same_keys=same_keys),
        "columns_added": [column for column in table.columns if column not in old.columns],
        "columns_removed": [column for column in old.columns if column not in table.columns],
        "treatment_changed": changed,
        **_files(written),
    }


def _people(before: Before, name: str, table: Table, written: Written, *, same_keys: bool) -> dict[str, int | None]:
    earlier = before.people(name) if same_keys else None
    if earlier is None:
        return {"patients_in": None, "patients_out": None}
    now = written.scan().select(pl.col(table.subject).unique()).collect(engine="streaming").to_series()
    stayed = int(now.is_in(earlier.implode()).sum())
    return {"patients_in": now.len() - stayed, "patients_out": earlier.len() - stayed}


def _files(written: Written) -> dict[str, int]:
    kept = sum(file.kept for file in written.files)
    return {"files_kept": kept, "files_written": len(written.files) - kept}


def _risk(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {name: [old.get(name), new.get(name)] for name in RISK if name in old or name in new}
