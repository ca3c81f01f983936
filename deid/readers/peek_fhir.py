"""A look at a file of FHIR resources: its elements as columns, those that only identify as one column to drop."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from deid.readers.fhir_file import ELEMENT, lines_of, parse_resource
from deid.readers.fhir_path import PathError, leaves, parse
from deid.readers.guess import guess
from deid.readers.peeked import PeekedColumn, PeekedTable, slug
from deid.readers.regular import open_regular
from deid.readers.spelling import ISO_DATE, day_of, spell
from deid.recipe_source import Origin
from deid.schemas import fhir
from deid.schemas.kinds import Kind, proposal

LONGEST_LINE = 64 << 20
HERE = "Asia/Seoul"  # where the days of Korean hospitals are counted


def peek_fhir(path: Path, rows: int) -> Iterator[PeekedTable]:
    """Look at the first `rows` resources; the type of all is the first one's. Raises `SourceError`."""
    with open_regular(path.parent, path.name) as file:
        lines = ((n, line) for n, line in lines_of(path.name, file, LONGEST_LINE) if line.strip())
        resources: list[dict[str, Any]] = []
        for number, line in islice(lines, rows):
            kind = str(resources[0]["resourceType"]) if resources else ""
            resources.append(parse_resource(path.name, number, line, kind))
    if not resources:
        return
    kind = str(resources[0]["resourceType"])
    names = dict.fromkeys(_column(kind, leaf, resources) for leaf in _elements(resources) if leaf != "resourceType")
    texts = {name: [_text(resource, name) for resource in resources] for name in names}
    head = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))
    columns = tuple(_peeked(kind, name, head[name]) for name in names)
    yield PeekedTable(
        slug(kind), Origin("fhir", path.name, resource=kind, drop_others=True, timezone=HERE), columns, head
    )


def _elements(resources: list[dict[str, Any]]) -> dict[str, None]:
    return dict.fromkeys(leaf for resource in resources for leaf in leaves(resource) if ELEMENT.fullmatch(leaf))


def _column(kind: str, leaf: str, resources: list[dict[str, Any]]) -> str:
    """Name the column for an element: its top where that only identifies, a choice where there are several values."""
    top = leaf.partition(".")[0]
    if fhir.is_whole(kind, top):
        return top
    path = parse(leaf)
    for resource in resources:
        try:
            path.value(resource)
        except PathError:
            return f"{leaf}.first()"
    return leaf


def _text(resource: dict[str, Any], name: str) -> str | None:
    path = parse(name)
    try:
        text = spell(path.value(resource)) or None
    except PathError:
        return None  # an element with parts: what is in it is not shown
    dated = fhir.kind_of(str(resource["resourceType"]), path.generic) in {Kind.DATE, Kind.BIRTH}
    # As the reader gives it to a column that is read as a date.
    return day_of(text, ISO_DATE, HERE) if dated and text else text


def _peeked(kind: str, name: str, values: pl.Series) -> PeekedColumn:
    generic = parse(name).generic
    known = Kind.DIRECT if fhir.is_whole(kind, name) else fhir.kind_of(kind, generic)
    proposed = proposal(known, generic, domain=fhir.domain_of(generic)) if known else None
    if generic in {"subject.reference", "patient.reference"}:
        known, proposed = Kind.PERSON, proposal(Kind.PERSON, generic, domain="patient")
    return PeekedColumn(name, *guess(values), known, proposed)
