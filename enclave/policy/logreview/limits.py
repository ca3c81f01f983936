"""What counts as an anomaly, as a file: read strictly, written in one spelling, named by its SHA-256. Pure.

    format = "ansim-review-v1"
    [night]
    night_from = 22
    …

The pattern of `enclave.policy.provider.document` (docs/adr/0018): every field is there and no other, so a limit that is
misspelt never silently becomes a default. The house has one file; a project may have its own. Each finding names the
hash of the file it was found under.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Any

from enclave.errors import Invalid
from enclave.policy.strict import read, spelled

FORMAT = "ansim-review-v1"
MOST_CHARS = 10_000


@dataclass(frozen=True)
class Field:
    """One limit: its section in the file, what is allowed (both ends included) and its words. Networks have no ends."""

    section: str
    low: int
    high: int
    ko: str
    en: str

    @property
    def is_list(self) -> bool:
        """Whether it is a list of networks instead of a whole number."""
        return self.low > self.high


FIELDS: dict[str, Field] = {
    "night_from": Field("night", 18, 24, "야간의 시작(시)", "night begins (hour)"),
    "night_until": Field("night", 0, 9, "야간의 끝(시)", "night ends (hour)"),
    "night_approved": Field("night", 0, 1, "야간 이용 승인(1이면 승인)", "night use is approved (1: yes)"),
    "holiday_approved": Field("night", 0, 1, "휴일 이용 승인(1이면 승인)", "use on holidays is approved (1: yes)"),
    "rows_per_hour": Field("bulk", 10, 1_000_000, "한 시간에 볼 수 있는 행", "rows shown in an hour"),
    "median_times": Field("bulk", 2, 100, "평소(30일 중앙값)의 몇 배까지", "times the median of 30 days"),
    "requests_per_day": Field("export", 1, 100, "24시간 안의 반출 신청", "egress requests in 24 hours"),
    "files_per_day": Field("export", 1, 10_000, "24시간 안의 반출 파일", "files asked for in 24 hours"),
    "mib_per_month": Field("export", 1, 1_000_000, "30일 동안의 반출 크기(MiB)", "MiB asked for in 30 days"),
    "verify_files": Field(
        "export", 1, 10_000, "사유를 확인할 다운로드 파일 수", "downloads whose reason is confirmed (files)"
    ),
    "blocked_per_day": Field(
        "probing", 2, 50, "24시간 안의 차단·반려된 결과", "blocked or rejected outputs in 24 hours"
    ),
    "dormant_days": Field("account", 30, 365, "장기 미사용(일)", "dormant after (days)"),
    "denials": Field("denied", 3, 100, "10분 안의 거부", "denials in 10 minutes"),
    "pair_percent": Field("pair", 50, 100, "같은 심사자 조합의 비율(%)", "share of the same pair (%)"),
    "gap_minutes": Field("log", 61, 1_440, "기록이 비어도 되는 시간(분)", "longest silence of the log (minutes)"),
    "clock_ms": Field("log", 100, 60_000, "허용하는 시계 오차(ms)", "clock offset allowed (ms)"),
    "pools": Field("place", 1, 0, "한 자리로 보는 주소대(VDI)", "networks that count as one place (VDI)"),
}
SECTIONS = tuple(dict.fromkeys(field.section for field in FIELDS.values()))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """One version. Units and bounds: `FIELDS`; the defaults are the house's first version (audit-log.md §8, R82).

    Raises `Invalid` (`limits.bounds`, `limits.network`) outside of them.
    """

    night_from: int = 22
    night_until: int = 6
    night_approved: int = 0
    holiday_approved: int = 0
    rows_per_hour: int = 1_000
    median_times: int = 5
    requests_per_day: int = 3
    files_per_day: int = 20
    mib_per_month: int = 100
    verify_files: int = 10
    blocked_per_day: int = 3
    dormant_days: int = 90
    denials: int = 5
    pair_percent: int = 80
    gap_minutes: int = 65
    clock_ms: int = 1_000
    pools: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, field in FIELDS.items():
            value = getattr(self, name)
            if not field.is_list and not field.low <= value <= field.high:
                raise _bounds(name, value)
        for each in self.pools:
            try:
                ip_network(each)
            except ValueError:
                raise _invalid(
                    "network", f"주소대가 아닙니다: {each[:60]!a}", f"this is no network: {each[:60]!a}"
                ) from None

    def canonical(self) -> str:
        """Return the one spelling of this version, as TOML; `parse` gives back an equal one."""
        lines = [f'format = "{FORMAT}"']
        for section in SECTIONS:
            lines += ["", f"[{section}]"]
            lines += [f"{name} = {spelled(getattr(self, name))}" for name in FIELDS if FIELDS[name].section == section]
        return "\n".join(lines) + "\n"

    @property
    def sha256(self) -> str:
        """The name of this version."""
        return sha256(self.canonical().encode()).hexdigest()

    def same_place(self, one: str, other: str) -> bool:
        """Return whether two addresses are one, or lie in one pool."""
        if one == other:
            return True
        try:
            here, there = ip_address(one), ip_address(other)
        except ValueError:
            return False
        return any(here in ip_network(pool) and there in ip_network(pool) for pool in self.pools)


def parse(text: str) -> Limits:
    """Read a file of limits. Raises `Invalid` (`limits.syntax`, `limits.format`, `limits.key` …), naming the key."""
    if len(text) > MOST_CHARS:
        raise _invalid("syntax", f"파일이 {MOST_CHARS:,}자보다 깁니다", f"the file is longer than {MOST_CHARS:,}")
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid("syntax", "TOML로 읽을 수 없습니다", "it is no TOML") from error
    if found.pop("format", None) != FORMAT:
        raise _invalid("format", f'첫 줄은 format = "{FORMAT}"이어야 합니다', f'it must begin with format = "{FORMAT}"')
    return Limits(**_values(found))


def _values(found: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for section, body in found.items():
        for name, value in (body if isinstance(body, dict) else {section: body}).items():
            if name not in FIELDS or FIELDS[name].section != section:
                raise _invalid("key", f"모르는 항목입니다: {name[:60]!a}", f"this is no field: {name[:60]!a}")
            values[name] = read(name, value, is_list=FIELDS[name].is_list, refused=_invalid)
    missing = [name for name in FIELDS if name not in values]
    if missing:
        raise _invalid("key", f"‘{missing[0]}’ 항목이 없습니다", f"‘{missing[0]}’ is missing")
    return values


def _bounds(name: str, value: object) -> Invalid:
    field = FIELDS[name]
    return _invalid(
        "bounds",
        f"‘{name}’({field.ko})은(는) {field.low}~{field.high}이어야 합니다({value}을(를) 적음)",
        f"‘{name}’ ({field.en}) is {field.low} to {field.high}, not {value}",
    )


def _invalid(code: str, ko: str, en: str) -> Invalid:
    return Invalid(
        f"limits.{code}",
        ko=f"점검 기준을 쓸 수 없습니다. {ko}.",
        en=f"These limits cannot be used: {en}.",
        remedy_ko="해당 항목을 고쳐 다시 보내세요.",
        remedy_en="Mend that field and send it again.",
    )


if {each.name for each in fields(Limits)} != set(FIELDS):  # pragma: no cover - two lists of the same names
    raise TypeError("Limits and FIELDS name different fields")
