"""Parcel numbers (필지고유번호, PNU): where a person lives, in nineteen digits.

Source: 공간정보의 구축 및 관리 등에 관한 법률 시행령 제55조, 부동산종합공부 고유번호 체계: 법정동 code (ten digits,
the first two a 시도), 1 land or 2 mountain, main number (four), sub number (four). No check digit: unlabelled, a run of
nineteen digits may be a card or a device, so a label within 12 characters is needed.
"""

from __future__ import annotations

import re

from deid.detect.recogniser import Rule, RuleRecogniser

_PROVINCE = r"(?:11|2[6-9]|3[016]|4[1-8]|5[0-2])"


class ParcelRecogniser(RuleRecogniser):
    """Nineteen digits of a parcel behind a label; dashes may stand between the parts."""

    ENTITIES = ("ADDRESS",)
    RULES = (
        Rule(
            "ADDRESS",
            re.compile(
                r"(?:PNU|필지|토지|고유\s?번호)[^\d\n]{0,12}"
                rf"(?P<v>{_PROVINCE}\d{{8}}[ ]?-?[ ]?[12][ ]?-?[ ]?\d{{4}}[ ]?-?[ ]?\d{{4}})(?!\d)",
                re.IGNORECASE,
            ),
            0.9,
            needs=("PNU", "pnu", "필지", "토지", "고유"),
        ),
    )
