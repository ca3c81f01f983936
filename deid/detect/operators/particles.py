"""Particles behind a stand-in, by its last sound (한글 맞춤법; 받침): 민호가, 철민이, 서울로, 준형으로.

Whether a syllable ends in a consonant is arithmetic: (code - U+AC00) modulo 28 is its final, 8 of which is ㄹ. Digits
are read as 영 일 이 삼 사 오 육 칠 팔 구.
"""

from __future__ import annotations

import re

_RIEUL = 8
_FINALS = 28
_DIGIT_FINALS = dict(zip("0123456789", (21, 8, 0, 16, 0, 0, 1, 8, 8, 0), strict=True))
# With a final, without.
_PAIRS = (
    ("이라고", "라고"), ("이라는", "라는"), ("이라서", "라서"), ("이라며", "라며"), ("이에요", "예요"), ("이었", "였"),
    ("이랑", "랑"), ("이나", "나"), ("이며", "며"), ("이고", "고"), ("이란", "란"), ("이든", "든"), ("이야", "야"),
    ("으로", "로"), ("은", "는"), ("을", "를"), ("과", "와"), ("아", "야"), ("이", "가"),
)  # fmt: skip
_WITH_FINAL = dict(_PAIRS)
_WITHOUT = {**{second: first for first, second in reversed(_PAIRS)}, "야": "아"}
_END = r"(?![가-힣])"
_AFTER_RO = r"(?:부터|서|써|는|도|만)?"
_SYLLABIC = re.compile(
    rf"(?P<p>이라고|라고|이라는|라는|이라서|라서|이라며|라며|이에요|예요|이었|였)|"
    rf"(?P<q>이랑|랑|이나|나|이며|며|이고|고|이란|란|이든|든|으로(?={_AFTER_RO}{_END})|로(?={_AFTER_RO}{_END})|"
    rf"[은는을를과와이가](?=(?:도|만|요)?{_END})|이야{_END}|[아야]{_END})"
)
# 철민이가, 철민이는: the 이 that goes with a given name that ends in a consonant.
_NICK = re.compile(r"이(?=(?:가|는|를|와|랑|도|의|한테|에게|네|만|야)(?![가-힣]))")


def mended(name: str, behind: str) -> tuple[str, str]:
    """Return the particle that begins `behind`, as written and as it must be after `name`; "" twice for none."""
    final = _final(name)
    if final is None:
        return "", ""
    nick = _NICK.match(behind)
    if nick:
        return ("이", "") if not final else ("", "")
    match = _SYLLABIC.match(behind)
    if match is None:
        return "", ""
    written = match.group()
    if written in {"로", "으로"}:
        return written, "로" if final in {0, _RIEUL} else "으로"
    table = _WITHOUT if final else _WITH_FINAL
    return written, table.get(written, written)


def _final(name: str) -> int | None:
    last = name[-1:]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % _FINALS
    return _DIGIT_FINALS.get(last)
