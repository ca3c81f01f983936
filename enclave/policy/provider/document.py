"""A provider's policy as a file: read strictly, written in one spelling, named by the SHA-256 of that spelling.

    format = "ansim-policy-v1"
    [checks]
    min_cell = 10
    …

TOML 1.0. Every field of `enclave.policy.provider.fields` must be there and nothing else may: a limit that is misspelt
or left out never silently becomes a default, and a default that changes with a release never changes a policy. Order,
comments and blanks are free; the canonical text is what is kept, hashed and shown. Pure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from enclave.airlock.rules import MEBIBYTE, CheckRules
from enclave.errors import Invalid
from enclave.policy.airlock.reviewers import ReviewerRules
from enclave.policy.provider.fields import FIELDS, SECTIONS, WARNINGS
from enclave.policy.strict import read, spelled

FORMAT = "ansim-policy-v1"
MOST_CHARS = 20_000
DEFAULT = Path(__file__).with_name("default.toml")


@dataclass(frozen=True, kw_only=True)
class PolicyDocument:
    """One policy. Units and bounds: `enclave.policy.provider.fields`. Raises `Invalid` (`policy.floor` …) outside."""

    min_cell: int
    min_freedom: int
    dominance_percent: int
    p_percent: int
    max_rows: int
    max_points: int
    max_lines: int
    max_file_mib: int
    block: tuple[str, ...]
    recomputed: int
    standard: int
    committee: int
    working_days: int
    escalate_percent: int
    idle_days: int
    release_days: int

    def __post_init__(self) -> None:
        for name, field in FIELDS.items():
            value = getattr(self, name)
            if not field.is_list and not field.low <= value <= field.high:
                raise _floor(name, value)
        if strange := sorted(set(self.block) - WARNINGS):
            raise _invalid(
                "warning",
                f"‘block’에 모르는 경고가 있습니다: {strange[0][:60]!a}",
                f"‘block’ names a warning that is not known: {strange[0][:60]!a}",
            )
        if self.block != tuple(sorted(set(self.block))):
            raise ValueError("block is sorted and names each rule once")
        if not self.recomputed <= self.standard <= self.committee or self.committee % 2 == 0:
            raise _invalid(
                "reviewers",
                "심사자 수는 recomputed ≤ standard ≤ committee여야 하고 위원회는 3, 5, 7명이어야 합니다",
                "recomputed ≤ standard ≤ committee, and a committee has 3, 5 or 7 members",
            )

    def canonical(self) -> str:
        """Return the one spelling of this policy, as TOML; `parse` gives back an equal policy."""
        lines = [f'format = "{FORMAT}"']
        for section in SECTIONS:
            lines += ["", f"[{section}]"]
            lines += [
                f"{name} = {spelled(getattr(self, name))}" for name, each in FIELDS.items() if each.section == section
            ]
        return "\n".join(lines) + "\n"

    @property
    def sha256(self) -> str:
        """The name of this version: the SHA-256 of the canonical text, as `sha256sum` says of the exported file."""
        return sha256(self.canonical().encode()).hexdigest()

    def check_rules(self, *, id_columns: tuple[str, ...], subjects: int | None, max_bytes: int) -> CheckRules:
        """Return the rules for the checker; `max_bytes`: what this installation can take at most."""
        return CheckRules(
            min_cell=self.min_cell,
            min_freedom=self.min_freedom,
            dominance_percent=self.dominance_percent,
            p_percent=self.p_percent,
            max_rows=self.max_rows,
            max_points=self.max_points,
            max_lines=self.max_lines,
            max_bytes=min(max_bytes, self.max_file_mib * MEBIBYTE),
            id_columns=id_columns,
            subjects=subjects,
        )

    @property
    def reviewer_rules(self) -> ReviewerRules:
        """How many reviewers, and the clock."""
        return ReviewerRules(
            recomputed=self.recomputed,
            standard=self.standard,
            committee=self.committee,
            working_days=self.working_days,
            escalate_at=self.escalate_percent / 100,
        )


def parse(text: str) -> PolicyDocument:
    """Read a policy file. Raises `Invalid`, naming the key.

    Codes: `policy.syntax`, `policy.too-long`, `policy.format`, `policy.unknown-key`, `policy.missing-key`,
    `policy.kind`, `policy.floor` (outside the house's bounds), `policy.reviewers`, `policy.warning`.
    """
    if len(text) > MOST_CHARS:
        raise _invalid(
            "too-long", f"파일이 {MOST_CHARS:,}자보다 깁니다", f"the file is longer than {MOST_CHARS:,} characters"
        )
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also for a whole number of thousands of digits
        said = str(error) if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__
        raise _invalid("syntax", f"TOML로 읽을 수 없습니다({said[:200]})", f"it is no TOML ({said[:200]})") from error
    if found.pop("format", None) != FORMAT:
        raise _invalid("format", f'첫 줄은 format = "{FORMAT}"이어야 합니다', f'it must begin with format = "{FORMAT}"')
    return PolicyDocument(**_values(found))


def named(text: str, version: str) -> PolicyDocument:
    """Read a text that is kept under the name `version`. Raises `Invalid` (`policy.forged`) if it is another's text."""
    found = parse(text)
    if found.sha256 != version or found.canonical() != text:
        raise _invalid(
            "forged",
            f"보관된 정책의 내용이 판 번호 {version[:12]}…와(과) 다릅니다",
            f"the policy that is kept under {version[:12]}… is another one",
        )
    return found


@cache
def default() -> PolicyDocument:
    """Return the policy of the house: version 1 of every provider that has said nothing."""
    return parse(DEFAULT.read_text(encoding="utf-8"))


def _values(found: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for section, body in found.items():
        if section not in SECTIONS or not isinstance(body, dict):
            raise _unknown(section)
        for name, value in body.items():
            if name not in FIELDS or FIELDS[name].section != section:
                raise _unknown(f"{section}.{name}")
            values[name] = read(name, value, is_list=FIELDS[name].is_list, refused=_invalid)
    missing = [name for name in FIELDS if name not in values]
    if missing:
        where = f"{FIELDS[missing[0]].section}.{missing[0]}"
        raise _invalid("missing-key", f"‘{where}’ 항목이 없습니다", f"‘{where}’ is missing")
    return values


def _unknown(key: str) -> Invalid:
    return _invalid("unknown-key", f"모르는 항목입니다: {key[:60]!a}", f"this is no field: {key[:60]!a}")


def _floor(name: str, value: int) -> Invalid:
    field = FIELDS[name]
    return _invalid(
        "floor",
        f"‘{name}’({field.ko})은(는) {field.low}~{field.high}이어야 합니다({value}을(를) 적음)",
        f"‘{name}’ ({field.en}) is {field.low} to {field.high}, not {value}",
    )


def _invalid(code: str, ko: str, en: str) -> Invalid:
    return Invalid(
        f"policy.{code}",
        ko=f"정책 파일을 쓸 수 없습니다. {ko}.",
        en=f"The policy file cannot be used: {en}.",
        remedy_ko="파일을 고쳐 다시 올리세요. 항목은 ‘ansim policy export’로 볼 수 있습니다.",
        remedy_en="Mend the file and send it again; ‘ansim policy export’ shows every field.",
    )


if {each.name for each in fields(PolicyDocument)} != set(FIELDS):  # pragma: no cover - two lists of the same names
    raise TypeError("PolicyDocument and FIELDS name different fields")
