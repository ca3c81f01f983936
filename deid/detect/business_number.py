"""Business registration numbers (사업자등록번호) and corporation numbers behind a label (법인등록번호).

Source: 부가가치세법 시행령 제12조 (ten digits 3-2-5, the last a check digit); 법인등록번호: 상업등기규칙 (6-7 digits).
A number of a company is not personal, of a sole trader it is: both are masked. Labelled numbers count even if the
check digit is wrong; unlabelled solid runs need it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser, digits

_KEYS = (1, 3, 7, 1, 3, 7, 1, 3, 5)
_SHAPE = re.compile(r"(?<![\d.])(?<!\d-)\d{3}[ ]?-[ ]?\d{2}[ ]?-[ ]?\d{5}(?!\d)(?!-\d)")
_LABELLED = re.compile(
    r"(?:사업자|사업자\s?(?:등록)?\s?(?:번호|No\.?)|BRN|business (?:reg\w{0,12} )?(?:no|number)\.?)"
    r"[^\d\n]{0,10}(?P<v>\d{3}[ ]?[-·~_.]?[ ]?\d{2}[ ]?[-·~_.]?[ ]?\d{5})(?!\d)",
    re.IGNORECASE,
)
_CORPORATION = re.compile(r"법인\s?(?:등록)?\s?번호[^\d\n]{0,6}(?P<v>\d{6}[ ]?-?[ ]?\d{7})(?!\d)")


def valid_business_number(number: str) -> bool:
    """Whether ten digits satisfy the check of 국세청: weights 1,3,7,1,3,7,1,3,5 and the carry of digit nine."""
    total = sum(key * int(digit) for key, digit in zip(_KEYS, number[:9], strict=True)) + 5 * int(number[8]) // 10
    return (10 - total % 10) % 10 == int(number[9])


class BusinessNumberRecogniser(KoreanRecogniser):
    """Business numbers by layout 3-2-5 or by label."""

    ENTITIES = ("BRN",)

    def find(self, text: str) -> Iterator[Found]:
        """Dashed numbers and labelled numbers; the check digit only sets the score."""
        for match in _SHAPE.finditer(text):
            yield Found(*match.span(), "BRN", 0.95 if valid_business_number(digits(match.group())) else 0.6)
        for pattern in (_LABELLED, _CORPORATION):
            for match in pattern.finditer(text):
                yield Found(*match.span("v"), "BRN", 0.9)
