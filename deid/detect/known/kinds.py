"""Kinds of values that a table says of a person, and how a kind is told from a column's name and label.

A recipe may say the kind (`direct: phone`); `direct: true` leaves it to the words of the column. A value of unknown
kind is searched for as a whole. The kinds follow the identifiers of 개인정보 보호법 제24조 and 시행령 제19조, and what
registration forms of hospitals hold.
"""

from __future__ import annotations

import re

# Kind in a recipe, type of the recognisers.
KINDS = {
    "name": "NAME",
    "relative": "NAME",
    "rrn": "RRN",
    "phone": "PHONE",
    "address": "ADDRESS",
    "record": "MRN",
    "email": "EMAIL",
    "birth_date": "DATE_BIRTH",
    "licence": "LICENSE_NO",
    "account": "BANK_ACCOUNT",
    "card": "CARD",
    "insurance": "INS_NO",
    "passport": "PASSPORT",
    "driver_licence": "DRIVER_LICENSE",
    "plate": "PLATE",
    "organisation": "ORG",
    "department": "DEPARTMENT",
    "ward": "WARD",
    "other": "MRN",
}
# In this order: 보호자 전화번호 is a telephone number, 보호자 성명 a relative, 면허번호 no record number.
_WORDS: tuple[tuple[str, str], ...] = (
    ("phone", r"전화|휴대|핸드폰|연락처|팩스|phone|mobile|tel(?![a-z]{2})|cell|fax"),
    ("email", r"메일|이메일|전자우편|e.?mail"),
    ("address", r"주소|거주지|addr"),
    ("rrn", r"주민|외국인등록|rrn|resident.?(?:registration|reg|no)|jumin"),
    ("birth_date", r"생년월일|생일|birth|dob"),
    ("licence", r"의사.?면허|면허번호|licen[cs]e"),
    ("account", r"계좌|account"),
    ("card", r"카드|card"),
    ("insurance", r"보험증|건강보험|insurance"),
    ("passport", r"여권|passport"),
    ("plate", r"차량|plate"),
    ("relative", r"보호자|배우자|가족|부모|모친|부친|자녀|relative|guardian|spouse|kin|mother|father"),
    ("name", r"이름|성명|성함|환자명|name|직원명|의사명"),
    ("record", r"등록번호|차트|병록|환자.?번호|챠트|병원.?번호|chart|mrn|hospital.?no|patient.?(?:no|id)|record"),
)
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WORDS)


def kind_of(*words: str) -> str:
    """Kind of a column by its name and labels; `other` when they say nothing."""
    joined = " ".join(words)
    return next((kind for kind, pattern in _COMPILED if pattern.search(joined)), "other")
