"""What a request says besides its files: use, retention, safety plan, and who receives it where (korea.md R45, R73)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from enclave.errors import Denied, Invalid

HOME = "KR"


class TransferBasis(StrEnum):
    """On which ground of PIPA §28-8 ① personal information may go abroad, by the number of the item."""

    CONSENT = "28-8-1-1"
    TREATY = "28-8-1-2"
    CONTRACT = "28-8-1-3"
    CERTIFIED = "28-8-1-4"
    ADEQUATE = "28-8-1-5"


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """The block for a receiver abroad (국외이전): every field is compulsory. `cpo_approval`: number of the sign-off."""

    basis: str = ""
    receiver: str = ""
    items: str = ""
    period: str = ""
    refusal: str = ""
    cpo_approval: str = ""


@dataclass(frozen=True, kw_only=True)
class Details:
    """Texts of one request. `receiver_country`: ISO 3166 two-letter code; abroad only with a whole `transfer`."""

    relation: str = ""
    use: str = ""
    retention: str = ""
    safety_plan: str = ""
    receiver_organisation: str = ""
    receiver_country: str = HOME
    transfer: Transfer | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fields as they are stored; an absent transfer is null."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Details:
        """Read what `as_json` gave; fields that are not there have their defaults."""
        transfer = found.get("transfer")
        known = {each.name for each in fields(cls)} - {"transfer"}
        texts = {name: str(value) for name, value in found.items() if name in known}
        return cls(**texts, transfer=Transfer(**transfer) if transfer else None)


def check_details(details: Details) -> None:
    """Raise `Invalid` (`egress.country`) without a country, `Denied` (`egress.overseas`) for an incomplete transfer."""
    if not re.fullmatch(r"[A-Z]{2}", details.receiver_country):
        raise Invalid(
            "egress.country",
            ko="수령 국가는 두 글자 국가 부호(예: KR)로 적습니다.",
            en="The receiver's country is a two-letter code, such as KR.",
            remedy_ko="ISO 3166 두 글자 부호를 적으세요.",
            remedy_en="Write the two letters of ISO 3166.",
        )
    if details.receiver_country == HOME:
        return
    block = details.transfer or Transfer()
    missing = [name for name, text in asdict(block).items() if not text.strip()]
    if missing or block.basis not in set(TransferBasis):
        country, lacks = details.receiver_country, ", ".join(missing) or "basis"
        raise Denied(
            "egress.overseas",
            ko=f"국외 수령({country})에는 국외이전 항목이 모두 필요합니다: {lacks}",
            en=f"A receiver abroad ({country}) needs the whole transfer block of PIPA §28-8: {lacks}",
            remedy_ko="이전 근거(법 제28조의8 제1항)와 개인정보 보호책임자 승인번호까지 모두 적으세요.",
            remedy_en="Fill in the whole transfer block with its legal basis and the officer's approval.",
        )
