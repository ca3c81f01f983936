"""JSON (RFC 8259): tables in any of the forms that pandas and people write, and every key and value as text."""

from __future__ import annotations

import json
from collections.abc import Iterator

from enclave.airlock.document import Document, Table
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.grid import check_size, table_of
from enclave.airlock.parsers.interactive import interactive
from enclave.airlock.parsers.matrices import CROSSED, labelled
from enclave.airlock.parsers.strict_json import read_json
from enclave.airlock.rules import CheckRules

JSON_LIST = 20


def parse_json(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read a JSON text. Raises `ParseRefused`; also for a key that stands twice."""
    del name
    text = decode(content)
    found = read_json(text)
    return interactive(found, rules) or _json_document(found, text, rules)


def _json_document(found: object, text: str, rules: CheckRules) -> Document:
    """Return a table only where everything in the file is in that table; else text, of which every word is read."""
    tables = tuple(_json_tables(found, rules))
    if len(tables) == 1 and tables[0].label == "$":
        return Document("table", tables, text)
    # Written anew, so that no escape (backslash u) hides a digit from the checks or from the reader.
    return Document("text", tables, json.dumps(found, ensure_ascii=False, indent=1))


def _json_tables(found: object, rules: CheckRules, label: str = "$") -> Iterator[Table]:
    if isinstance(found, dict):
        table = _from_columns(found, label)
        if table is not None:
            yield table
            return
        for index, (name, inner) in enumerate(found.items()):
            yield from _crossed(name, inner, f"{label}.{index + 1}") or _json_tables(
                inner, rules, f"{label}.{index + 1}"
            )
    elif isinstance(found, list) and found:
        yield from _from_list(found, rules, label)


def _crossed(name: str, found: object, label: str) -> list[Table]:
    # "confusion_matrix": [[145, 3], [6, 52]]
    if not CROSSED.search(name) or not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        return []
    table = labelled([[_cell(value) for value in row] for row in found], label)
    return [table] if table else []


def _from_list(found: list[object], rules: CheckRules, label: str) -> Iterator[Table]:
    if all(isinstance(row, dict) for row in found):
        names = list(dict.fromkeys(str(name) for row in found if isinstance(row, dict) for name in row))
        body = [tuple(_cell(row.get(name)) for name in names) for row in found if isinstance(row, dict)]
        check_size(len(body) * len(names), rules)
        yield Table(tuple(names), tuple(body), label)
        return
    if all(isinstance(row, list) and not any(isinstance(value, dict | list) for value in row) for row in found):
        rows = [[_cell(value) for value in row] for row in found if isinstance(row, list)]
        if any(rows):
            yield table_of(rows, label)[0]
            return
    if len(found) >= JSON_LIST:
        yield Table((label,), tuple((_cell(value),) for value in found), label)
    for index, inner in enumerate(found):
        yield from _json_tables(inner, rules, f"{label}[{index}]")


def _from_columns(found: dict[str, object], label: str) -> Table | None:
    # pandas: {"n": {"0": 12, ...}, ...} or {"n": [12, ...], ...}
    keyed = [list(v) for v in found.values() if isinstance(v, dict)]
    if keyed and (len(keyed) != len(found) or any(keys != keyed[0] for keys in keyed)):
        return None
    columns = [list(v.values()) if isinstance(v, dict) else v for v in found.values()]
    lists = [column for column in columns if isinstance(column, list)]
    if not lists or len(lists) != len(columns) or not lists[0] or len({len(column) for column in lists}) != 1:
        return None
    if any(isinstance(value, dict | list) for column in lists for value in column):
        return None
    names = tuple(found)
    if keyed and len(names) >= JSON_LIST and len(names) > len(keyed[0]):
        # By record, as `to_json(orient="index")` writes: what looks like names of columns are the records.
        rows = ((name, *map(_cell, column)) for name, column in zip(names, lists, strict=True))
        return Table(("", *map(str, keyed[0])), tuple(rows), label)
    if keyed and keyed[0] != [str(number) for number in range(len(keyed[0]))]:
        names, lists = ("", *names), [keyed[0], *lists]  # the index may say who it is about
    body = zip(*([_cell(value) for value in column] for column in lists), strict=True)
    return Table(names, tuple(body), label)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
