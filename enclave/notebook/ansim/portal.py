"""Asking the portal: JSON over the workspace's own loopback, which the gate answers. No proxy, no redirect, no TLS."""

from __future__ import annotations

import http.client
import json
import os
from typing import Any
from urllib.parse import urlsplit

from .failure import AnsimError

DEFAULT = "http://127.0.0.1:8085"
PREFIX = "/api/workspace/v1"
TIMEOUT_S = 600
REFUSED_FROM = 400
ANSWER_BYTES = 16 << 20


def ask(method: str, route: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Send one request and return the JSON object in the answer. Raises `AnsimError`."""
    token = os.environ.get("JUPYTERHUB_API_TOKEN", "")
    if not token:
        raise AnsimError(
            "client.no-workspace",
            ko="작업공간 밖에서는 쓸 수 없습니다.",
            en="This works only inside a workspace.",
            remedy_ko="안심구역의 노트북에서 실행하세요.",
            remedy_en="Run it in a notebook of the enclave.",
        )
    address = urlsplit(os.environ.get("ANSIM_API", DEFAULT))
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=TIMEOUT_S)
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json", "Accept": "application/json"}
    try:
        sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        connection.request(method, PREFIX + route, sent, headers)
        answer = connection.getresponse()
        return _read(answer.status, answer.read(ANSWER_BYTES))
    except (OSError, http.client.HTTPException):
        raise AnsimError(
            "client.unreachable",
            ko="반출입 창구에 연결하지 못했습니다. 접수 여부를 알 수 없습니다.",
            en="The airlock could not be reached; whether anything was taken in is unknown.",
            remedy_ko="잠시 뒤 같은 셀을 다시 실행하세요. 같은 신청은 두 번 접수되지 않습니다.",
            remedy_en="Run the same cell again in a while: the same request is not taken twice.",
        ) from None
    finally:
        connection.close()


def _read(status: int, raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise AnsimError(
            "client.answer",
            ko=f"창구의 답을 읽을 수 없습니다(HTTP {status}).",
            en=f"The portal's answer cannot be read (HTTP {status}).",
            remedy_ko="잠시 뒤 다시 하고, 계속되면 운영자에게 알리세요.",
            remedy_en="Try again in a while; if it goes on, tell the operator.",
        )
    if status >= REFUSED_FROM:
        texts = {name: str(found.get(name, "")) for name in ("ko", "en", "remedy_ko", "remedy_en")}
        raise AnsimError(str(found.get("code", f"http.{status}")), **texts)
    return found
