"""One entry as a file holds it: its number, its bytes, and what the bytes say. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.merkle import leaf_hash


@dataclass(frozen=True, slots=True)
class Line:
    """An entry on its way into a file. `login`: what its actor is called now, empty for who is no account."""

    leaf_index: int
    entry_id: str
    data: bytes
    login: str = ""

    @property
    def leaf(self) -> str:
        """The hash under which the entry is in the tree, as hex."""
        return leaf_hash(self.data).hex()

    def record(self) -> Mapping[str, Any]:
        """Return what the bytes say; empty for bytes that are no entry."""
        try:
            # As UTF-8 alone: `json` would guess other encodings, and keep halves of characters.
            found = json.loads(self.data.decode("utf-8"))
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def group(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a group of an entry (`actor`, `from` …), empty where there is none."""
    found = record.get(name)
    return found if isinstance(found, dict) else {}
