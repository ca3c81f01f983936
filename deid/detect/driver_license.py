"""Driver's licence numbers (운전면허번호).

Source: 도로교통법 시행규칙 별지 제55호서식 (region or its two-digit code 11-26, 28; year; six digits; two check digits,
whose rule is not public).
"""

from __future__ import annotations

import re

from deid.detect.recogniser import Rule, RuleRecogniser

_CODE = r"(?:1[1-9]|2[0-68])"
_GAP = r"[ ]?[-./·~_ ]?[ ]?"
_PLACE = r"(?:서울|부산|경기|강원|충북|충남|전북|전남|경북|경남|제주|대구|인천|광주|대전|울산)"


class DriverLicenseRecogniser(RuleRecogniser):
    """Licence numbers by layout 2-2-6-2, in the old form with a place name, or solid behind a label."""

    ENTITIES = ("DRIVER_LICENSE",)
    RULES = (
        Rule(
            "DRIVER_LICENSE", re.compile(rf"(?<![\d-]){_CODE}[ ]?-[ ]?\d\d[ ]?-[ ]?\d{{6}}[ ]?-[ ]?\d\d(?![\d-])"), 0.95
        ),
        Rule(
            "DRIVER_LICENSE",
            re.compile(rf"{_PLACE}[ ]?-?[ ]?\d\d[ ]?-[ ]?\d{{5,6}}[ ]?-[ ]?\d\d(?!\d)"),
            0.9,
            needs=("-",),
        ),
        Rule(
            "DRIVER_LICENSE",
            re.compile(
                r"(?:운전\s?면허|면허|licen[sc]e|DL)[^\d\n]{0,14}"
                rf"(?P<v>\d\d{_GAP}\d\d{_GAP}\d{{6}}{_GAP}\d\d)(?!\d)",
                re.IGNORECASE,
            ),
            0.95,
        ),
        Rule("DRIVER_LICENSE", re.compile(rf"(?<![\d.A-Za-z-]){_CODE}\d{{10}}(?![\d-]|\.\d)"), 0.4),
    )
