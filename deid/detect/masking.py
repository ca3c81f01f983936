"""Replacing identifiers in many texts by typed Korean placeholders.

Memos repeat (templates, copied lines), so each distinct text is read once and the answer is mapped back. The
replacement itself is done by presidio-anonymizer's operators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context

from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

from deid.detect.pseudonym import pseudonym
from deid.detect.scan import scan

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
_CHUNK = 200
_SHORTEST_KEY = 16
_WORTH_PROCESSES = 400


def mask_texts(texts: Sequence[str], *, keys: Mapping[str, bytes] | None, processes: int = 1) -> list[str]:
    """`texts` with every identifier replaced by `<이름>`, `<전화번호>`, ...; same order, same length.

    With `keys` (type, e.g. `NAME` -> secret of at least 16 bytes) values of these types become `<이름:3f9a0c12>`, equal
    for equal normalised values under the same key, so that one person can be followed through the texts without being
    named. `processes` > 1 spreads distinct texts over that many processes. Raises `ValueError` for a short key.
    """
    for kind, key in (keys or {}).items():
        if kind not in PLACEHOLDERS or len(key) < _SHORTEST_KEY:
            raise ValueError(f"key for {kind}: a known type and at least 16 bytes are needed")
    distinct = list(dict.fromkeys(texts))
    work = partial(_mask, keys=dict(keys or {}))
    if processes > 1 and len(distinct) >= _WORTH_PROCESSES:
        # forkserver: the caller may hold threads (polars), which a plain fork would leave half alive.
        with ProcessPoolExecutor(processes, mp_context=get_context("forkserver")) as pool:
            masked = list(pool.map(work, distinct, chunksize=_CHUNK))
    else:
        masked = [work(text) for text in distinct]
    answer = dict(zip(distinct, masked, strict=True))
    return [answer[text] for text in texts]


@cache
def _anonymizer() -> AnonymizerEngine:
    return AnonymizerEngine()  # type: ignore[no-untyped-call]


def _mask(text: str, *, keys: Mapping[str, bytes]) -> str:
    found = scan(text)
    if not found:
        return text
    results = [RecognizerResult(entity_type=f.type, start=f.start, end=f.end, score=f.score) for f in found]
    operators = {kind: _operator(kind, keys.get(kind)) for kind in {f.type for f in found}}
    # conflicts are settled by scan(); merging neighbours would lose the types.
    return str(_anonymizer().anonymize(text=text, analyzer_results=results, operators=operators).text)


def _operator(kind: str, key: bytes | None) -> OperatorConfig:
    label = PLACEHOLDERS[kind]
    if key is None:
        return OperatorConfig("replace", {"new_value": f"<{label}>"})
    return OperatorConfig("custom", {"lambda": lambda value: f"<{label}:{pseudonym(value, key)}>"})
