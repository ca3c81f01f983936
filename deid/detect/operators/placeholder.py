"""`korean_placeholder`: <이름>, <전화번호> …; with a key <이름:3f9a0c12>, equal for equal values under one key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deid.detect.operators.keyed import KoreanOperator
from deid.detect.pseudonym import pseudonym

PLACEHOLDERS = {
    "NAME": "이름",
    "RRN": "주민등록번호",
    "FRN": "외국인등록번호",
    "PHONE": "전화번호",
    "ADDRESS": "주소",
    "MRN": "등록번호",
    "INS_NO": "보험증번호",
    "PASSPORT": "여권번호",
    "DRIVER_LICENSE": "운전면허번호",
    "BRN": "사업자등록번호",
    "BANK_ACCOUNT": "계좌번호",
    "CARD": "카드번호",
    "PLATE": "차량번호",
    "EMAIL": "전자우편",
    "URL": "웹주소",
    "IP": "IP주소",
    "LICENSE_NO": "면허번호",
    "DATE_BIRTH": "생년월일",
    "AGE90": "90세이상",
    "ORG": "기관",
    "DATE": "날짜",
    "DEPARTMENT": "부서",
    "WARD": "병동",
}


PLACED = re.compile(rf"<(?:{'|'.join(PLACEHOLDERS.values())})(?::[0-9a-f]+)?>")


def blanked(text: str) -> str:
    """Give a masked text with its placeholders as squares of their length: `<이름> 님` is no label before a name."""
    return PLACED.sub(lambda placed: "■" * len(placed.group()), text)


def placeholder(kind: str) -> str:
    """Typed placeholder; the type itself in angle brackets for a type that is not ours."""
    return f"<{PLACEHOLDERS.get(kind, kind)}>"


class Placeholder(KoreanOperator):
    """Params: `key` (optional, at least 16 bytes)."""

    NAME = "korean_placeholder"
    NEEDS_KEY = False

    def stand_in(self, value: str, params: Mapping[str, Any]) -> str:
        """See `KoreanOperator.stand_in`."""
        plain = placeholder(str(params.get("entity_type", "")))
        return f"{plain[:-1]}:{pseudonym(value, params['key'])}>" if params.get("key") else plain
