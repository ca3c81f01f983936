"""From columns of JSON values to a `Table` of text cells."""

from __future__ import annotations

import json
from collections.abc import Mapping

from enclave.airlock.document import Table
from enclave.airlock.parsers.grid import check_size
from enclave.airlock.rules import CheckRules


def as_table(columns: Mapping[str, list[object]], label: str, rules: CheckRules) -> Table:
    """Return a table of columns of one length. Raises `ParseRefused` for more cells than are checked."""
    check_size(sum(map(len, columns.values())), rules)
    rows = zip(*([as_cell(value) for value in values] for values in columns.values()), strict=True)
    return Table(tuple(columns), tuple(rows), label)


def as_cell(value: object) -> str:
    """Return a JSON value as the text of a cell; whole numbers without their point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
