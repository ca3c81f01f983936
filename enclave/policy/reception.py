"""Who may send images to the sealed store: by title, and by certificate where the line is encrypted. Pure.

An application entity title (PS3.8 9.3.2) is a name that anybody can give. With TLS (PS3.15 Annex B) each title belongs
to one certificate, and whoever has another one is not heard under that title, however well it is signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enclave.errors import Denied


@dataclass(frozen=True)
class Senders:
    """Titles that may send, each with the SHA-256 (hex) of its certificate, "" without TLS; and the title we have."""

    titles: Mapping[str, str]
    ours: str = "ANSIM"


@dataclass(frozen=True)
class Caller:
    """Who asks to send: its title, the title that it calls, the SHA-256 of its certificate ("" without TLS)."""

    title: str
    called: str
    certificate: str = ""


def check_may_send(caller: Caller, senders: Senders) -> None:
    """Raise `Denied` (`reception.called`, `reception.sender`, `reception.certificate`) unless this one is heard."""
    if caller.called != senders.ours:
        raise Denied(
            "reception.called",
            ko="다른 이름(AE title)을 부르는 연결입니다.",
            en="The connection calls another AE title than ours.",
            remedy_ko="보내는 쪽에 적힌 받는 쪽 AE title을 확인하세요.",
            remedy_en="Check the called AE title where it is sent from.",
        )
    if caller.title not in senders.titles:
        raise Denied(
            "reception.sender",
            ko="보낼 수 있다고 등록되지 않은 AE title입니다.",
            en="This AE title is not one of those that may send.",
            remedy_ko="맞는 곳이면 수신기의 목록에 더하세요.",
            remedy_en="If it is a hospital's, add it to the receiver's list.",
        )
    if senders.titles[caller.title] != caller.certificate:
        raise Denied(
            "reception.certificate",
            ko="이 AE title의 것이 아닌 인증서입니다.",
            en="The certificate is not that of this AE title.",
            remedy_ko="그 병원의 인증서가 바뀌었으면 목록의 것을 바꾸세요.",
            remedy_en="If the hospital has a new certificate, replace the one in the list.",
        )
