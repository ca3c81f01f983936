"""Keyed stand-ins for values found in text (HMAC-SHA256, RFC 2104), equal for equal normalised values."""

from __future__ import annotations

import hashlib
import hmac

from deid.detect.normalise import normalise

_SHOWN = 8


def pseudonym(value: str, key: bytes) -> str:
    """Eight hexadecimal digits that stand for `value` under `key`; spaces, dashes and line breaks do not matter."""
    core = "".join(character for character in normalise(value).text if character.isalnum())
    return hmac.new(key, core.encode(), hashlib.sha256).hexdigest()[:_SHOWN]
