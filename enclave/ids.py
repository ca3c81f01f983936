"""Names for new things: a prefix that says what it is, and 80 random bits nobody can guess."""

from __future__ import annotations

import base64
import secrets


def new_id(prefix: str) -> str:
    """Return e.g. `e-k3v7…` (prefix, 16 characters of base32 in lower case): safe in addresses and file names."""
    return f"{prefix}-{base64.b32encode(secrets.token_bytes(10)).decode().lower()}"
