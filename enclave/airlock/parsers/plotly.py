"""Plotly's JSON (``fig.to_json()``): every trace a table, every value counted, every word read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enclave.airlock.document import Table
from enclave.airlock.figures.arrays import numbers_in, unpacked
from enclave.airlock.figures.shapes import Count
from enclave.airlock.parsers.cells import as_table
from enclave.airlock.rules import CheckRules

# These draw a dot for each value, or hold each person's value whatever they draw of it.
EACH = frozenset({
    "box", "violin", "histogram", "histogram2d", "histogram2dcontour", "splom", "parcoords", "parcats", "pointcloud",
    "scatter3d", "scatterpolar", "scatterpolargl", "scatterternary", "scattergeo", "scattermap", "scattermapbox",
    "scattersmith", "scattercarpet",
})  # fmt: skip
FEW = 20  # up to so many values Plotly draws dots where nothing is said about it
BESIDES = frozenset({"customdata", "text", "hovertext", "ids", "meta", "hovertemplate"})
COLOURS = frozenset({"colorscale", "colorway", "sequential", "sequentialminus", "diverging", "autocolorscale"})
AXES = {"x": "xaxis", "y": "yaxis"}


def is_plotly(found: object) -> bool:
    """Whether a JSON value is a Plotly figure."""
    if not isinstance(found, Mapping) or not isinstance(found.get("data"), list) or "layout" not in found:
        return False
    return all(isinstance(trace, Mapping) for trace in found["data"])


def read_plotly(found: Mapping[str, Any], rules: CheckRules) -> tuple[list[Table], Count]:
    """Return a table for each trace and what all of it holds. Raises `ParseRefused`, `ValueError`."""
    tables: list[Table] = []
    total = Count()
    layout = found["layout"] if isinstance(found["layout"], Mapping) else {}
    for number, trace in enumerate(found["data"]):
        tables += _tables(trace, layout, f"trace {number + 1}", rules)
        total += _count(trace, rules)
    rest = {key: value for key, value in found.items() if key != "data"}
    # Outside the traces no numbers belong in a list but those of colours.
    return tables, total + Count(points=numbers_in(rest, rules, COLOURS))


def _count(trace: Mapping[str, Any], rules: CheckRules) -> Count:
    sizes = {name: len(values) for name, values in _arrays(trace, rules)}
    drawn = max((size for name, size in sizes.items() if name.split(".")[0] not in BESIDES), default=0)
    besides = sum(size for name, size in sizes.items() if name.split(".")[0] in BESIDES)
    marks = drawn if _draws_each(trace, drawn) else 0
    # Beside the drawn values everything that only a click or a pointer shows; a label for each bar is as many again.
    return Count(marks, drawn + max(0, besides - drawn))


def _draws_each(trace: Mapping[str, Any], drawn: int) -> bool:
    kind = str(trace.get("type", "scatter"))
    if kind in EACH:
        return True
    mode = str(trace.get("mode", "markers" if drawn < FEW else "lines"))
    return kind in {"scatter", "scattergl"} and "markers" in mode


def _arrays(value: Mapping[str, Any], rules: CheckRules, above: str = "") -> Iterator[tuple[str, list[object]]]:
    for name, inner in value.items():
        full = f"{above}{name}"
        values = None if name in COLOURS else unpacked(inner, rules)
        if values is not None:
            yield full, values
        elif isinstance(inner, Mapping):
            yield from _arrays(inner, rules, f"{full}.")


def _tables(trace: Mapping[str, Any], layout: Mapping[str, Any], label: str, rules: CheckRules) -> Iterator[Table]:
    columns: dict[int, dict[str, list[object]]] = {}
    for name, values in _arrays(trace, rules):
        columns.setdefault(len(values), {})[_title(layout, name) or name] = values
    said = str(trace.get("name", ""))[:60]
    for group in columns.values():
        yield as_table(group, f"{label} {said}".strip(), rules)


def _title(layout: Mapping[str, Any], name: str) -> str:
    axis = layout.get(AXES.get(name, ""), {})
    title = axis.get("title", "") if isinstance(axis, Mapping) else ""
    text = title.get("text", "") if isinstance(title, Mapping) else title
    return text if isinstance(text, str) else ""
