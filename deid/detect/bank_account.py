"""Bank account numbers (계좌번호): ten to fourteen digits in groups that differ from bank to bank.

Source: the layouts in 금융결제원's list of participating banks (계좌번호 체계); there is no common check digit. Layouts
that nothing else has stand alone; all others need a bank, a passbook or a transfer beside them.
"""

from __future__ import annotations

import re

from deid.detect.recogniser import Rule, RuleRecogniser, digits

_BANK = (
    r"(?:[가-힣]{2,4}은행|[가-힣A-Z]{0,3}뱅크|농협|수협|신협|국민|신한|우리|하나|기업|우체국|새마을금고|씨티|"
    r"SC제일|KB|NH|IBK|"
    r"계좌(?:번호)?|통장|입금|이체|송금|환불|급여|예금|지급|사례비|account|acct|A/C)"
)
_SIGNS = (
    *("은행", "뱅크", "농협", "수협", "신협", "국민", "신한", "우리", "하나", "기업", "우체국", "금고", "씨티", "제일"),
    *("KB", "NH", "IBK", "kb", "nh", "ibk", "계좌", "통장", "입금", "이체", "송금", "환불", "급여", "예금"),
    *("지급", "사례비"),
    *("ccount", "CCOUNT", "cct", "CCT", "A/C", "a/c"),
)
_GROUPS = r"\d{2,6}(?:[ ]?[-·~_ ][ ]?\d{1,8}){1,4}|\d{10,16}"

_SHORTEST, _LONGEST = 10, 16


def _account_sized(value: str) -> bool:
    return _SHORTEST <= len(digits(value)) <= _LONGEST


class BankAccountRecogniser(RuleRecogniser):
    """Account numbers behind a bank's name or a word of transfer, and layouts only banks use."""

    ENTITIES = ("BANK_ACCOUNT",)
    RULES = (
        Rule(
            "BANK_ACCOUNT",
            re.compile(rf"{_BANK}[^\d\n]{{0,14}}(?P<v>{_GROUPS})(?![\d*])", re.IGNORECASE),
            0.8,
            _account_sized,
            _SIGNS,
        ),
        Rule(
            "BANK_ACCOUNT",
            re.compile(rf"(?<![\d-])(?P<v>{_GROUPS})(?![\d*-])[^\d\n]{{0,4}}(?:예금주|계좌|통장)"),
            0.8,
            _account_sized,
            ("예금주", "계좌", "통장"),
        ),
        Rule(
            "BANK_ACCOUNT",
            re.compile(
                r"(?<![\d-])(?:\d{3}[ ]?-[ ]?\d{3}[ ]?-[ ]?\d{6}|\d{4}[ ]?-[ ]?\d{2}[ ]?-[ ]?\d{7}|"
                r"\d{6}[ ]?-[ ]?\d{2}[ ]?-[ ]?\d{6}|"
                r"\d{3}[ ]?-[ ]?\d{2}[ ]?-[ ]?\d{6}|\d{3}[ ]?-[ ]?\d{4}[ ]?-[ ]?\d{4}[ ]?-[ ]?\d{2}|"
                r"\d{3}[ ]?-[ ]?\d{6}[ ]?-[ ]?\d{2}[ ]?-[ ]?\d{3}|"
                r"\d{3}[ ]?-[ ]?\d{6}[ ]?-[ ]?\d{5})(?![\d-])"
            ),
            0.65,
        ),
    )
