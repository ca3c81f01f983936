"""Files written into a page as ``data:`` addresses (RFC 2397)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

from enclave.airlock.document import Embedded

# Only what the checker opens itself; everything else in a data: address has no business in a result.
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/jpg": "jpg", "image/svg+xml": "svg", "text/csv": "csv"}


def embedded_in(address: str, label: str) -> Embedded | None:
    """Return the file in a ``data:`` address; None for a type that is not taken, or broken base64."""
    head, comma, body = address.strip().partition(",")
    kind, *options = head[len("data:") :].split(";")
    ending = ENDINGS.get(kind.strip().lower())
    if ending is None or not comma:
        return None
    if "base64" not in {option.strip().lower() for option in options}:
        return Embedded(label, f"embedded.{ending}", unquote_to_bytes(body))
    try:
        content = base64.b64decode("".join(unquote_to_bytes(body).decode("ascii").split()), validate=True)
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Embedded(label, f"embedded.{ending}", content)
