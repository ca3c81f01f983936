"""Asking a time-stamping authority over HTTP (RFC 3161 §3.4)."""

from __future__ import annotations

import httpx

from enclave.errors import Unavailable

_TIMEOUT_S = 30
_MAX_BYTES = 64 << 10


def fetch(url: str, query: bytes) -> bytes:
    """Return the authority's answer, unchecked; raise `Unavailable` (`log.tsa`) when there is none."""
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        answer = httpx.post(url, content=query, headers=headers, timeout=_TIMEOUT_S)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _away(type(error).__name__) from error
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if kind != "application/timestamp-reply" or len(answer.content) > _MAX_BYTES:
        raise _away("Content-Type")
    return answer.content


def _away(detail: str) -> Unavailable:
    return Unavailable(
        "log.tsa",
        ko=f"시점확인기관이 응하지 않습니다({detail}).",
        en=f"The time-stamping authority does not answer ({detail}).",
        remedy_ko="tsa_url과 그곳까지의 연결을 확인하거나, 요청서를 파일로 옮기세요(ansim anchor stamp-ask).",
        remedy_en="Check tsa_url and the way to it, or carry the request as a file (ansim anchor stamp-ask).",
    )
