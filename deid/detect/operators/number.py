"""`korean_number`: a number becomes another of the same shape that nobody can have, where there is such a range.

Separators, letters and the number of digits stay; digits are drawn by a key from the type and the normalised value.

    RRN, FRN         months 21 to 32 (주민등록법 시행규칙 제2조: 01 to 12); a part without month begins with 0
    PHONE            the number behind the prefix begins with 00 (전기통신번호관리세칙: 국번호 begin with 2 to 9); the
                     prefix of a mobile stays, an area code becomes 02 or 039 (039 is no area code)
    CARD             begins with 0 (ISO/IEC 7812: no issuer of payment cards)
    BRN              tax office 000 (국세청: codes begin at 101)
    BANK_ACCOUNT     begins with 000
    PASSPORT         letter X (여권법 시행규칙: M, S, R, D, G and O are in use)
    DRIVER_LICENSE   region 00 (도로교통법 시행규칙: 11 to 28)
    PLATE            begins with 00 (자동차등록번호판 등의 기준에 관한 고시: 01 and up)
    EMAIL, URL       example.invalid (RFC 2606)
    IP               192.0.2.0/24, 2001:db8::/32 (RFC 5737, RFC 3849)
    ADDRESS          가온시 나래구 다솜로 (no such places)
    INS_NO           begins with 0
    MRN, LICENSE_NO  any digits: there is no impossible range, a stand-in may be somebody's number

A value without digits (a number said in words), and every other type, becomes its placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deid.detect.normalise import normalise
from deid.detect.operators.keyed import Draw, KoreanOperator, core_of
from deid.detect.operators.placeholder import placeholder

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_PLATE_LETTERS = "가나다라마거너더러머버서어저"
_FEWEST_DIGITS = 3
_RRN_DIGITS = 13
_FLAT = re.compile(r"\d[ ]{0,2}호")
_AREA = ("02", "03", "04", "05", "06")


class KoreanNumber(KoreanOperator):
    """Params: `key`."""

    NAME = "korean_number"

    def stand_in(self, value: str, params: Mapping[str, Any]) -> str:
        """See `KoreanOperator.stand_in`; the module says which ranges are used."""
        kind, plain = str(params.get("entity_type", "")), normalise(value).text
        draw = Draw(params["key"], kind, core_of(value).lower())
        if kind in _WHOLE:
            return _WHOLE[kind](plain, draw)
        digits = [character for character in plain if character.isdigit()]
        if kind not in _DIGITS or len(digits) < _FEWEST_DIGITS:
            return placeholder(kind)
        return _filled(plain, iter(_DIGITS[kind]("".join(digits), draw)), kind, draw)


def _filled(shape: str, digits: Iterator[str], kind: str, draw: Draw) -> str:
    letters = {"PASSPORT": "X", "PLATE": _PLATE_LETTERS}.get(kind, _LETTERS)

    def one(character: str) -> str:
        if character.isdigit():
            return next(digits)
        if character.isascii() and character.isalpha():
            return draw.of(letters) if character.isupper() else draw.of(letters).lower()
        return draw.of(letters) if kind == "PLATE" and "가" <= character <= "힣" else character

    return "".join(map(one, shape))


def _any(digits: str, draw: Draw) -> str:
    return "".join(str(draw.below(10)) for _ in digits)


def _beginning(start: str) -> Callable[[str, Draw], str]:
    def drawn(digits: str, draw: Draw) -> str:
        return (start + _any(digits, draw))[: len(digits)]

    return drawn


def _resident(first: int) -> Callable[[str, Draw], str]:
    def drawn(digits: str, draw: Draw) -> str:
        if len(digits) != _RRN_DIGITS:
            return ("0" + _any(digits, draw))[: len(digits)]
        century = first + draw.below(4)
        return f"{draw.below(100):02d}{21 + draw.below(12)}{1 + draw.below(28):02d}{century}{_any(digits[7:], draw)}"

    return drawn


def _phone(digits: str, draw: Draw) -> str:
    country = "82" if digits.startswith("82") else ""
    rest = digits[len(country) :]
    zero = "0" if rest.startswith("0") else ""
    national = "0" + rest[len(zero) :] if country or zero else rest
    prefix = _prefix(national)
    # 00 and not 01 to 07: those would begin another number (050…, 031…) with whatever digits stand behind it.
    behind = (f"00{3 + draw.below(5)}" + _any(national, draw))[: len(national) - len(prefix)]
    whole = prefix + behind
    return country + (whole if zero or not country else whole[1:])


def _prefix(national: str) -> str:
    if national.startswith("02"):
        return "02"
    if national[:2] in _AREA and len(national) > 8:  # noqa: PLR2004 - an area code, three digits, and a number
        return "039" if national[:2] != "05" or national[2] != "0" else "050"
    return national[:3] if national.startswith(("01", "07", "08")) else ""


def _email(value: str, draw: Draw) -> str:
    del value
    return f"user{draw.below(10**6):06d}@example.invalid"


def _url(value: str, draw: Draw) -> str:
    del value
    return f"https://example.invalid/{draw.below(16**8):08x}"


def _ip(value: str, draw: Draw) -> str:
    return f"2001:db8::{draw.below(16**4):x}" if ":" in value else f"192.0.2.{1 + draw.below(254)}"


def _address(value: str, draw: Draw) -> str:
    road = f"가온시 나래구 다솜로 {1 + draw.below(300)}"
    return f"{road}, {101 + draw.below(20)}동 {101 + draw.below(1500)}호" if _FLAT.search(value) else road


_WHOLE: dict[str, Callable[[str, Draw], str]] = {"EMAIL": _email, "URL": _url, "IP": _ip, "ADDRESS": _address}
_DIGITS: dict[str, Callable[[str, Draw], str]] = {
    "RRN": _resident(1),
    "FRN": _resident(5),
    "PHONE": _phone,
    "CARD": _beginning("0"),
    "BRN": _beginning("000"),
    "BANK_ACCOUNT": _beginning("000"),
    "PASSPORT": _any,
    "DRIVER_LICENSE": _beginning("00"),
    "PLATE": _beginning("00"),
    "INS_NO": _beginning("0"),
    "MRN": _any,
    "LICENSE_NO": _any,
}
NUMBER_TYPES = (*_WHOLE, *_DIGITS)
