"""What an entry of the log says, without what is drawn or hashed: any digits may stand there by chance."""

from __future__ import annotations

import json
from typing import Any


def entry_words(entry: dict[str, Any]) -> str:
    """Return an entry as text without its id, its time, its object's hash and its event's number."""
    told = json.dumps(entry, ensure_ascii=False)
    for drawn in (entry["id"], entry["at"], entry["object"].get("sha256"), entry["details"].get("event")):
        told = told.replace(str(drawn), "") if drawn else told
    return told
