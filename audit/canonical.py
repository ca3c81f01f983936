"""The one byte form of an entry: JSON with sorted keys, no spaces, no floats, NFC text, UTF-8.

For these values the bytes are those of RFC 8785 (JCS): keys are ASCII, so sorting by code point and by UTF-16
unit is the same, and integers stay within ±(2^53 - 1). Pure: standard library only.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import NoReturn

from audit.errors import EntryError, Text

# C2SP tlog-tiles gives an entry's length 16 bits.
MAX_ENTRY_BYTES = 65_535
# The largest integer that every JSON reader keeps exact (RFC 8785 §3.2.2.3).
MAX_INTEGER = 2**53 - 1
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def encode(value: Mapping[str, object]) -> bytes:
    """Return the canonical bytes of an object; raise `EntryError` naming the place of what cannot be one."""
    if not _is_plain(value):
        _check(value, "$")
    return _ENCODER.encode(value).encode("utf-8")


def decode(data: bytes) -> dict[str, object]:
    """Parse canonical bytes; raise `EntryError` for anything that `encode` would not have written."""
    try:
        value = json.loads(data.decode("utf-8"), parse_float=_no_float, parse_constant=_no_float)
    # RecursionError: thousands of nested brackets fit into 64 KiB.
    except (ValueError, RecursionError) as error:
        raise _refusal("audit.not-json", "$", "JSON이 아닙니다", "is not JSON") from error
    if not isinstance(value, dict):
        raise _refusal("audit.not-json", "$", "JSON 객체가 아닙니다", "is not a JSON object")
    if _again(value) != data:
        raise _refusal("audit.not-canonical", "$", "정규 형식의 바이트가 아닙니다", "is not in canonical form")
    return value


def _again(value: Mapping[str, object]) -> bytes:
    try:
        return encode(value)
    except RecursionError as error:  # what reads JSON goes deeper than what looks at each value
        raise _refusal("audit.not-json", "$", "너무 깊이 겹쳐 있습니다", "is nested too deeply") from error


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"floating point number {text}")


def _is_plain(value: object) -> bool:
    """Say quickly that a value is surely fine; False means "look closer" and find the place."""
    if isinstance(value, str):
        return value.isascii() or (unicodedata.is_normalized("NFC", value) and value.isprintable())
    if isinstance(value, dict):
        return all(type(key) is str and key.isascii() and key and _is_plain(item) for key, item in value.items())
    return isinstance(value, int) and abs(value) <= MAX_INTEGER


def _check(value: object, place: str) -> None:
    if isinstance(value, str):
        _check_text(value, place)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii() or not key:
                raise _refusal(
                    "audit.key", place, f"키 {key!r}은(는) ASCII 문자열이 아닙니다", f"has a bad key {key!r}"
                )
            _check(item, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check(item, f"{place}[{number}]")
    elif not isinstance(value, int) or abs(value) > MAX_INTEGER:
        raise _refusal("audit.value", place, f"{value!r} 값은 기록할 수 없습니다", f"cannot hold {value!r}")


def _check_text(value: str, place: str) -> None:
    if value.isascii():
        return
    if not unicodedata.is_normalized("NFC", value):
        raise _refusal("audit.not-nfc", place, "NFC로 정규화된 글이 아닙니다", "is not NFC text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _refusal("audit.not-utf8", place, "UTF-8로 쓸 수 없는 글입니다", "cannot be written as UTF-8") from error


def _refusal(code: str, place: str, ko: str, en: str) -> EntryError:
    return EntryError(
        code,
        Text(
            f"기록의 {place}: {ko}.",
            f"The entry at {place} {en}.",
            "문자열·정수·참거짓만 쓰고 다시 시도하세요.",
            "Use only text, whole numbers and true/false, then try again.",
        ),
    )
