"""Interactive figures as JSON, of Plotly and Bokeh: what they hold is counted, tabled and read; nothing is drawn.

Drawing them takes a browser, which is no parser for a stranger's file. So a checker sees tables and text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from enclave.airlock.checks.figure import active, check_count
from enclave.airlock.document import Document, Table
from enclave.airlock.figures.arrays import is_packed
from enclave.airlock.figures.shapes import Count
from enclave.airlock.parsers.bokeh import acts, documents_in, read_bokeh
from enclave.airlock.parsers.plotly import is_plotly, read_plotly
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.rules import CheckRules


def interactive(found: object, rules: CheckRules) -> Document | None:
    """Return the document of a Plotly or Bokeh figure; None for any other JSON. Raises `ParseRefused`."""
    documents = documents_in(found)
    if not is_plotly(found) and not documents:
        return None
    try:
        tables, total = held(found, rules)
    except (ValueError, TypeError, OverflowError):
        raise ParseRefused(
            "parse.figure",
            "대화형 그림의 자료 배열을 읽을 수 없습니다. PNG나 CSV로 제출하세요.",
            "The data arrays of the interactive figure cannot be read. Submit a PNG or CSV.",
        ) from None
    # The arrays stand in the tables; in the text they would be base64.
    text = json.dumps(_without_arrays(found), ensure_ascii=False, indent=1)
    running = (active(name) for document in documents for name in acts(document))
    # Pixels can be made of it only where it was made, by whoever submits it.
    findings = (replace(one, repairs=()) for one in (*check_count(total, rules), *running))
    return Document("figure", tuple(tables), text, findings=tuple(findings))


def held(found: object, rules: CheckRules) -> tuple[list[Table], Count]:
    """Return the tables of a figure and what it holds. Raises `ParseRefused`, `ValueError`, `TypeError`."""
    if is_plotly(found) and isinstance(found, Mapping):
        return read_plotly(found, rules)
    tables: list[Table] = []
    total = Count()
    for document in documents_in(found):
        more, counted = read_bokeh(document, rules)
        tables, total = [*tables, *more], total + counted
    return tables, total


def _without_arrays(value: object) -> object:
    if is_packed(value):
        return "…"
    if isinstance(value, Mapping):
        return {key: _without_arrays(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_arrays(inner) for inner in value]
    return value
