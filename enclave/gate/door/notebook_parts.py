"""What a notebook says: the source of each cell, and everything else in it as texts that can be counted. Pure.

One form only: nbformat 4 as JupyterLab sends it (https://nbformat.readthedocs.io/en/latest/format_description.html).
jupyter_server writes also what does not fit its schema, and older formats as they are, so a form that is not known
here would carry anything. Numbers, short texts and nesting count as well as long texts: each can spell bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

TOP = {"nbformat", "nbformat_minor", "metadata", "cells"}
CELL = {"cell_type", "source", "metadata", "id", "attachments", "outputs", "execution_count"}
KINDS = {"code", "markdown", "raw"}
# What is known already may be put in another order freely; so few parts have an order that it says little (2 bytes
# for each at most). JupyterLab gets slow long before.
MOST_PARTS = 10_000
# Texts from here on stand alone, so that an output that grows is new only at its end.
LONG = 64


class Strange(Exception):  # noqa: N818 - an answer, not a fault
    """This is no notebook of the one known form, or one of too many cells and outputs."""


def parted(content: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return what the cells say, and all else as texts. Raises `Strange`."""
    cells = content.get("cells")
    if set(content) != TOP or not isinstance(cells, list) or not isinstance(content["metadata"], dict):
        raise Strange
    if not (_is_number(content["nbformat"], 4, 4) and _is_number(content["nbformat_minor"], 0, 99)):
        raise Strange
    sources, parts = [], [content["metadata"]]
    for cell in cells:
        sources.append(_source(cell))
        outputs = cell.get("outputs", [])
        parts += [{key: value for key, value in cell.items() if key not in {"source", "outputs"}}, *outputs]
    if len(parts) > MOST_PARTS:
        raise Strange
    return [text for text in sources if text], [text for part in parts for text in texts(part)]


def texts(value: Any) -> Iterator[str]:
    """Yield the long texts in a JSON value, then all the rest of it as one: names, numbers, short texts, nesting.

    Without recursion, for depth is chosen by a stranger. A long text leaves its digest in the rest: order counts too.
    """
    waiting, rest = [value], []
    while waiting:
        here = waiting.pop()
        if isinstance(here, str) and len(here) >= LONG:
            yield here
            rest.append(hashlib.blake2b(here.encode(errors="replace"), digest_size=4).hexdigest())
        elif isinstance(here, dict):
            rest.append(f"{{{len(here)}")
            waiting.extend(part for key in sorted(here, reverse=True) for part in (here[key], key))
        elif isinstance(here, list):
            rest.append(f"[{len(here)}")
            waiting.extend(reversed(here))
        else:
            rest.append(json.dumps(here, ensure_ascii=False))
    yield ",".join(rest)


def _source(cell: Any) -> str:
    """Return a cell's text, which may be a list of lines. Raises `Strange` for what is no cell."""
    if not isinstance(cell, dict) or not set(cell) <= CELL or cell.get("cell_type") not in KINDS:
        raise Strange
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        # Only as the server itself would part it: other places of the cuts would say something of their own.
        source = "".join(source) if "".join(source).splitlines(keepends=True) == source else None
    if not isinstance(source, str) or not isinstance(cell.get("outputs", []), list):
        raise Strange
    return source


def _is_number(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most
