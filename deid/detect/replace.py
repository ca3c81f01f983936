"""Replacing what was found in one text by typed Korean placeholders, with presidio-anonymizer's operators."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

from deid.detect.examine import Seen, examine
from deid.detect.found import Found
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
}


def mask(text: str, keys: Mapping[str, bytes]) -> tuple[str, list[Seen]]:
    """Return `text` with each identifier replaced, and what was seen; types in `keys` get a keyed stand-in."""
    seen = examine(text)
    found = [one.span for one in seen if one.doubt != "below-threshold"]
    return (_replaced(text, found, keys) if found else text), seen


def _replaced(text: str, found: list[Found], keys: Mapping[str, bytes]) -> str:
    results = [RecognizerResult(entity_type=f.type, start=f.start, end=f.end, score=f.score) for f in found]
    operators = {kind: _operator(kind, keys.get(kind)) for kind in {f.type for f in found}}
    return str(_anonymizer().anonymize(text=text, analyzer_results=results, operators=operators).text)


@cache
def _anonymizer() -> AnonymizerEngine:
    return AnonymizerEngine()  # type: ignore[no-untyped-call]


def _operator(kind: str, key: bytes | None) -> OperatorConfig:
    label = PLACEHOLDERS[kind]
    if key is None:
        return OperatorConfig("replace", {"new_value": f"<{label}>"})
    return OperatorConfig("custom", {"lambda": lambda value: f"<{label}:{pseudonym(value, key)}>"})
