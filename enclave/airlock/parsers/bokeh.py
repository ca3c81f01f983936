"""Bokeh's JSON (``json_item``, ``Document.to_json``): every data source a table, its values counted as drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enclave.airlock.document import Table
from enclave.airlock.figures.arrays import is_packed, unpacked
from enclave.airlock.figures.shapes import Count
from enclave.airlock.parsers.cells import as_table
from enclave.airlock.rules import CheckRules

DOTS = frozenset({"Scatter", "Circle", "Text", "TeX", "MathML", "Image", "ImageRGBA", "ImageURL"})
SOURCES = frozenset({"ColumnDataSource", "GeoJSONDataSource", "AjaxDataSource", "ServerSentDataSource"})


def documents_in(found: object) -> list[Mapping[str, Any]]:
    """Return the Bokeh documents in a JSON value: itself, under ``doc``, or under the ids of a page; none otherwise."""
    if not isinstance(found, Mapping):
        return []
    candidates = [found, found.get("doc"), *found.values()]
    return [one for one in candidates if isinstance(one, Mapping) and "version" in one and "roots" in one][:20]


def read_bokeh(document: Mapping[str, Any], rules: CheckRules) -> tuple[list[Table], Count]:
    """Return a table for each data source and what all of it holds. Raises `ParseRefused`, `ValueError`."""
    models = list(_models(document))
    by_id = {str(model["id"]): model for model in models if "id" in model}
    renderers = [model for model in models if model.get("name") == "GlyphRenderer"]
    dotted = {_source(renderer) for renderer in renderers if _draws_dots(renderer, by_id)}
    tables: list[Table] = []
    total = Count()
    for number, model in enumerate(one for one in models if one.get("name") in SOURCES):
        columns = dict(_columns(model, rules))
        many = max(map(len, columns.values()), default=0)
        total += Count(many if str(model.get("id")) in dotted else 0, many)
        sizes = {len(values) for values in columns.values()}
        for size in sorted(sizes):
            group = {name: values for name, values in columns.items() if len(values) == size}
            tables.append(as_table(group, f"source {number + 1}", rules))
    rest = [one for one in models if one.get("name") not in SOURCES]
    return tables, total + Count(points=sum(_numbers_beside(one, rules) for one in rest))


def acts(document: Mapping[str, Any]) -> list[str]:
    """Return the names of models that run code of their author's when the figure is opened or touched."""
    return sorted({str(model.get("name")) for model in _models(document) if "Custom" in str(model.get("name"))})


def _numbers_beside(model: Mapping[str, Any], rules: CheckRules) -> int:
    # Lists right in a model's attributes; models further in are looked at themselves.
    values = [value for value in _attributes(model).values() if isinstance(value, list) or is_packed(value)]
    return sum(len(unpacked(value, rules) or ()) for value in values if not _holds_models(value))


def _holds_models(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(one, Mapping | str) for one in value)


def _models(value: object) -> Iterator[Mapping[str, Any]]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if one.get("type") == "object":
                yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _attributes(model: Mapping[str, Any]) -> Mapping[str, Any]:
    found = model.get("attributes", {})
    return found if isinstance(found, Mapping) else {}


def _source(renderer: Mapping[str, Any]) -> str:
    source = _attributes(renderer).get("data_source", {})
    return str(source.get("id", "")) if isinstance(source, Mapping) else ""


def _draws_dots(renderer: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]]) -> bool:
    glyph = _attributes(renderer).get("glyph", {})
    if not isinstance(glyph, Mapping):
        return True
    whole = glyph if "name" in glyph else by_id.get(str(glyph.get("id")), {})
    return whole.get("name") in DOTS


def _columns(source: Mapping[str, Any], rules: CheckRules) -> Iterator[tuple[str, list[object]]]:
    data = _attributes(source).get("data", {})
    if not isinstance(data, Mapping):
        return
    entries = data.get("entries", [])
    plain = [] if "entries" in data else [[name, values] for name, values in data.items()]
    for entry in [*entries, *plain]:
        if isinstance(entry, list) and len(entry) == 2:  # noqa: PLR2004 - a name and its values
            values = unpacked(entry[1], rules)
            if values is not None:
                yield str(entry[0]), values
