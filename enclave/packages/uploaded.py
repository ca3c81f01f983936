"""Since when a wheel is there: no file says so, the package index does, in its pages as JSON (PEP 691, 700).

Which pages pip has read stands in its log, so neither addresses nor configuration are ours to know. An index without
such pages, or one that lets only pip in, leaves the date unknown; reviewers then see a question mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

PAGE = re.compile(r"Fetching project page and analyzing links: (https?://\S+)")
KIND = "application/vnd.pypi.simple.v1+json"
WAIT_S = 30


@dataclass(frozen=True)
class Uploaded:
    """What an index says of one file: the day of its upload (ISO date, UTC) and its size in bytes; 0 if unknown."""

    on: str
    size: int = 0


def pages_of(log: str) -> tuple[str, ...]:
    """Return the addresses of the index pages that pip has read, by its log."""
    return tuple(dict.fromkeys(PAGE.findall(log)))


def uploads(pages: Iterable[str]) -> Mapping[str, Uploaded]:
    """Return what these pages say of their files, by SHA-256; of several the earliest day. Never raises for a page."""
    found: dict[str, Uploaded] = {}
    with httpx.Client(headers={"Accept": KIND}, follow_redirects=True, timeout=WAIT_S) as client:
        for page in pages:
            for sha256, told in _read(client, page):
                if sha256 not in found or told.on < found[sha256].on:
                    found[sha256] = told
    return found


def _read(client: httpx.Client, page: str) -> list[tuple[str, Uploaded]]:
    try:
        answer = client.get(page).raise_for_status()
        return [one for each in answer.json()["files"] if (one := _one(each))]
    except (httpx.HTTPError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _one(file: Mapping[str, Any]) -> tuple[str, Uploaded] | None:
    sha256, moment, size = file["hashes"].get("sha256"), file.get("upload-time"), file.get("size")
    if not isinstance(sha256, str) or not isinstance(moment, str):
        return None
    on = date.fromisoformat(moment[:10]).isoformat()
    return sha256, Uploaded(on, size if isinstance(size, int) and size > 0 else 0)
