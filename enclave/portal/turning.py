"""The state of a viewer in an address: which piece, from which row, in which order, with which filter.

Everything is in the address, so that links work without scripts, and a colleague can be sent to the cell in question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from enclave.airlock.viewing.ask import LONGEST_FIND, Ask

NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)
TOKEN = re.compile(r"[a-z]{1,2}\d?", re.ASCII)


def ask_of(fields: Mapping[str, str]) -> Ask:
    """Return what an address asks for; what makes no sense is left out."""
    return Ask(
        piece=_number(fields, "p") or 0,
        start=_number(fields, "from") or 0,
        sort=_number(fields, "sort"),
        down=fields.get("down") == "1",
        find=fields.get("find", "")[:LONGEST_FIND],
        column=_number(fields, "in"),
        row=_number(fields, "row"),
    )


def asked(ask: Ask, start: int | None = None, sort: int | None = None, down: bool | None = None) -> str:  # noqa: FBT001 - a template filter
    """Return the rest of an address (``&p=0&from=100…``) for a page like this one with these changes."""
    changed = replace(
        ask,
        row=None,
        start=ask.start if start is None else start,
        sort=ask.sort if sort is None else None if sort < 0 else sort,
        down=ask.down if down is None else down,
    )
    return "&" + urlencode(_fields(changed))


def plain_ask(piece: int) -> Ask:
    """Return what shows a piece from its first row, as it stands in the file."""
    return Ask(piece=piece)


def token(name: str) -> str:
    """Return the class of a piece of code if it is one of Pygments' short names; nothing for anything else."""
    return name if TOKEN.fullmatch(name) else ""


def _fields(ask: Ask) -> dict[str, str | int]:
    fields: dict[str, str | int | None] = {
        "p": ask.piece,
        "from": ask.start or None,
        "sort": ask.sort,
        "down": 1 if ask.down else None,
        "find": ask.find or None,
        "in": ask.column,
        "row": ask.row,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _number(fields: Mapping[str, str], name: str) -> int | None:
    text = fields.get(name, "")
    return max(0, int(text)) if NUMBER.fullmatch(text) else None
