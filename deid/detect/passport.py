"""Korean passport numbers and the second line of a passport's machine-readable zone.

Source: 여권법 시행규칙 별지 (letter of the passport type M S R O D G and eight digits; since December 2021 a letter in
place five); ICAO Doc 9303-4 (MRZ). The number itself has no check digit.
"""

from __future__ import annotations

import re

from deid.detect.recogniser import Rule, RuleRecogniser, digits

_OLD = r"[MSRODG][ ]?\d{8}"
_NEW = r"[MSRODG][ ]?\d{3}[ ]?[A-Z][ ]?\d{4}"
_LEAST_DIGITS = 6


class PassportRecogniser(RuleRecogniser):
    """Passport numbers by shape, by label (also foreign ones) and in an MRZ."""

    ENTITIES = ("PASSPORT",)
    RULES = (
        Rule("PASSPORT", re.compile(rf"(?<![A-Za-z0-9-])(?:{_NEW}|{_OLD})(?![A-Za-z0-9-])", re.IGNORECASE), 0.6),
        Rule(
            "PASSPORT",
            re.compile(
                r"(?:여권|passport|PP ?(?:no|#))[^A-Za-z0-9\n]{0,4}(?:번호|no\.?|number|#)?[^A-Za-z0-9\n]{0,4}"
                r"(?P<v>[A-Z]{1,2}[ -]?[0-9A-Z]{6,8}|\d{8,9})(?![A-Za-z0-9])",
                re.IGNORECASE,
            ),
            0.95,
            lambda value: len(digits(value)) >= _LEAST_DIGITS,
            needs=("여권", "PP", "pp", "Pp", "assport", "ASSPORT"),
        ),
        Rule("PASSPORT", re.compile(r"[A-Z0-9<]{9}\d[A-Z]{3}\d{7}[MF<]\d{7}[A-Z0-9<]{14}[\d<]\d"), 0.95, needs=("<",)),
        Rule("PASSPORT", re.compile(r"P[A-Z<][A-Z]{3}[A-Z]{1,30}<<[A-Z<]{5,36}"), 0.95, needs=("<<",)),
    )
