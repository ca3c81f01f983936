"""Health insurance and long-term care certificate numbers (건강보험증번호, 장기요양인정번호).

Source: 국민건강보험법 시행규칙 별지 제10호서식 (certificate number: eleven digits, printed 1-10 or solid; no public
check
rule); 노인장기요양보험법 시행규칙 (L and ten digits). Eleven digits alone may be a mobile number, hence the label.
"""

from __future__ import annotations

import re

from deid.detect.recogniser import Rule, RuleRecogniser

_LABEL = r"(?:건강\s?보험|의료\s?보험|보험증|보험\s?번호|증\s?번호|의료\s?급여|건보|공단|보험자|NHI[CS]?|insurance)"

_SIGNS = ("보험", "증", "의료", "건보", "공단", "NHI", "nhi", "nsurance", "NSURANCE")


class InsuranceNumberRecogniser(RuleRecogniser):
    """Certificate numbers behind a label within 25 characters, or in the layout 1-10."""

    ENTITIES = ("INS_NO",)
    RULES = (
        Rule(
            "INS_NO",
            re.compile(rf"{_LABEL}[^\d\n]{{0,20}}(?P<v>\d[ ]?[-·~_]?[ ]?\d{{10}})(?!\d)", re.IGNORECASE),
            0.9,
            needs=_SIGNS,
        ),
        Rule(
            "INS_NO",
            re.compile(r"보험(?:종별|유형)?[ ]{0,3}[:(=]?[ ]{0,3}(?P<v>[1-9]\d{10})(?!\d)"),
            0.85,
            needs=("보험",),
        ),
        Rule("INS_NO", re.compile(r"(?<![\d.-])[1-9][ ]?-[ ]?\d{10}(?![\d-])"), 0.85),
        Rule("INS_NO", re.compile(r"(?<![A-Za-z0-9])L\d{10}(?:-\d{3})?(?![\d-])"), 0.85, needs=("L",)),
    )
