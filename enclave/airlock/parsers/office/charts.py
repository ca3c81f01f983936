"""Charts in office files (DrawingML, ECMA-376 part 1 §21.2): the values they keep with them, as tables."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from enclave.airlock.document import Document, Part, Table
from enclave.airlock.parsers.office.flow import local
from enclave.airlock.parsers.office.package import Package


def chart_parts(package: Package) -> list[Part]:
    """Return each chart as a part with a table: a column for each list of values or names that it keeps."""
    names = [name for name in package.names if "/charts/chart" in name.lower() and name.endswith(".xml")]
    parts = []
    for number, name in enumerate(names, 1):
        root = package.xml(name)
        columns = [column for column in map(_cached, root.iter()) if column]
        texts = [e.text.strip() for e in root.iter() if local(e) in {"t", "f"} and e.text and e.text.strip()]
        label = f"차트 {number}"
        parts.append(Part(label, Document("document", tuple(_table(columns)), "\n".join(texts))))
    return parts


def _cached(element: Element) -> list[str]:
    if local(element) not in {"numCache", "strCache", "numLit", "strLit", "lvl"}:
        return []
    points = [point for point in element if local(point) == "pt"]
    return ["".join(value.text or "" for value in point if local(value) == "v") for point in points]


def _table(columns: list[list[str]]) -> list[Table]:
    if not columns:
        return []
    longest = max(map(len, columns))
    filled = [column + [""] * (longest - len(column)) for column in columns]
    return [Table(tuple(f"값 {number + 1}" for number in range(len(filled))), tuple(zip(*filled, strict=True)))]
