"""Identifiers in what a workspace showed on the screen, inside the sealed child: kinds, how many, masked samples.

It finds what was shown plainly. Whoever wants to hide a value from it writes it in another alphabet or in halves:
this is for accidents and carelessness, the meter is for the rest.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

from enclave.airlock.checks.identifiers import Hit, hits_in, stops
from enclave.airlock.document import Document
from enclave.airlock.parsers.text import text_tables
from enclave.airlock.rules import CheckRules

MARKUP = re.compile(r"html|svg|xml")
# The tag's name and its brackets go, its attributes stay: a value may stand in one of them.
TAG = re.compile(r"</?[A-Za-z][\w:-]*|/?>")
# Within a row of an HTML table cells follow each other; rows stay lines of their own, as in printed tables.
CELL_END = re.compile(r"</t[dh]>\s*", re.IGNORECASE)
SAMPLES = 10


def search_shown(content: bytes) -> list[dict[str, Any]]:
    """Return for each text of a JSON list `[{"mime", "text"}, …]` what was found in it."""
    return [_search(str(each["mime"]), str(each["text"])) for each in json.loads(content)]


def _search(mime: str, text: str) -> dict[str, Any]:
    plain = _plain(text) if MARKUP.search(mime) else text
    document = Document("text", tuple(text_tables(plain, CheckRules())), plain)
    hits = [hit for hit in hits_in(document) if stops(hit)]
    # A line of a printed table is read as cells and as text; the reading that saw more of a kind counts.
    counts = {kind: max(map(len, _readings(hits, kind))) for kind in sorted({hit.type for hit in hits})}
    samples = list(dict.fromkeys((hit.type, hit.sample) for hit in hits))[:SAMPLES]
    return {"counts": counts, "samples": samples}


def _readings(hits: list[Hit], kind: str) -> tuple[list[Hit], list[Hit]]:
    found = [hit for hit in hits if hit.type == kind]
    return [hit for hit in found if _is_line(hit)], [hit for hit in found if not _is_line(hit)]


def _is_line(hit: Hit) -> bool:
    return re.fullmatch(r"L\d+", hit.place) is not None


def _plain(text: str) -> str:
    joined = CELL_END.sub("\t", text)
    return html.unescape(TAG.sub(" ", joined))
