"""Text as a reader can see it: what a screen would hide or turn around is written out."""

from __future__ import annotations

import unicodedata

UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """Show what cannot be seen (control, direction, zero-width characters) as escapes; nothing is cut.

    The result is plain text, not HTML: a page must still escape it.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(sign) if unicodedata.category(sign) in UNSEEN else sign for sign in text)


def _escape(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"  # noqa: PLR2004 - one UTF-16 unit
