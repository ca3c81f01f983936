"""Payment card numbers.

Source: ISO/IEC 7812-1 (issuer number, account number, Luhn check digit). Domestic cards begin with 9, others with 3-6.
The four-by-four layout is a card even if a digit was mistyped; a solid run must pass Luhn or stand behind a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser, digits

_GROUPED = re.compile(r"(?<![\d.])(?<!\d-)[3-69]\d{3}(?:[ ]?[-·./ ][ ]?[\d*xX]{4}){2}[ ]?[-·./ ][ ]?\d{4}(?!\d)(?!-\d)")
_AMEX = re.compile(r"(?<![\d.-])3[47]\d{2}[ -]\d{6}[ -]\d{5}(?![\d-])")
_SOLID = re.compile(r"(?<![\d.A-Za-z-])[3-69]\d{12,18}(?!\d|\.\d)")
_LABELLED = re.compile(r"(?:카드|card)[^\d\n]{0,12}(?P<v>\d(?:[ ]?-?[ ]?[\d*]){12,18})(?!\d)", re.IGNORECASE)


def luhn(number: str) -> bool:
    """Whether the digits of `number` satisfy ISO/IEC 7812-1 Annex B."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value // 10 + value % 10
    return total % 10 == 0


class CardRecogniser(KoreanRecogniser):
    """Card numbers by layout, by Luhn or by label."""

    ENTITIES = ("CARD",)

    def find(self, text: str) -> Iterator[Found]:
        """Yield grouped numbers; solid ones that pass Luhn; labelled ones of 13 to 19 digits."""
        for pattern in (_GROUPED, _AMEX):
            for match in pattern.finditer(text):
                yield Found(*match.span(), "CARD", 0.95 if luhn(digits(match.group())) else 0.75)
        for match in _SOLID.finditer(text):
            if luhn(match.group()):
                yield Found(*match.span(), "CARD", 0.7)
        for match in _LABELLED.finditer(text):
            yield Found(*match.span("v"), "CARD", 0.9)
