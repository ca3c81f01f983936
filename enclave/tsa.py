"""Asking a time-stamping authority over HTTP (RFC 3161 §3.4)."""

from __future__ import annotations

from audit.exchange import Ask, Limits, NoAnswerError, exchange
from enclave.errors import Unavailable

_MAX_BYTES = 64 << 10
_OK = range(200, 300)


def fetch(url: str, query: bytes, *, wait_s: float = 30) -> bytes:
    """Return the authority's answer, unchecked; raise `Unavailable` (`log.tsa`) when there is none.

    `wait_s`: seconds in which the whole answer, of at most 64 KiB, has to be there.
    """
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        answer = exchange(Ask("POST", url, query, headers), Limits(wait_s, _MAX_BYTES))
    except NoAnswerError as error:
        raise _away(str(error)) from error
    if answer.status not in _OK:
        raise _away(f"HTTP {answer.status}")
    if answer.headers.get("content-type", "").partition(";")[0] != "application/timestamp-reply":
        raise _away("Content-Type")
    return answer.body


def _away(detail: str) -> Unavailable:
    return Unavailable(
        "log.tsa",
        ko=f"시점확인기관이 응하지 않습니다({detail}).",
        en=f"The time-stamping authority does not answer ({detail}).",
        remedy_ko="tsa_url과 그곳까지의 연결을 확인하거나, 요청서를 파일로 옮기세요(ansim anchor stamp-ask).",
        remedy_en="Check tsa_url and the way to it, or carry the request as a file (ansim anchor stamp-ask).",
    )
