"""What must stand beside a known value, or between its characters, for it to count. Pure functions of text and span."""

from __future__ import annotations

import re
from collections.abc import Callable

from deid.detect.cues import PARTICLES, RANKS, ROLES
from deid.detect.known.squeezed import Squeezed

# Whether the span `start` to `end` of the squeezed text counts.
Rule = Callable[[Squeezed, int, int], bool]

_WIDEST, _NARROW = 4, 2
_SURE_SYLLABLES = 3
_BEHIND = 24
_BEFORE = 16
_RIGHT_OF_NAME = re.compile(rf"(?:(?:{RANKS}|님)|(?:{PARTICLES}))(?![가-힣])|(?:님|씨|군|양)|(?:{RANKS})")
_RIGHT_OF_GIVEN = re.compile(rf"(?:님|씨|군|양|이|아|야)?(?:{PARTICLES})?(?![가-힣a-z0-9])")
_RIGHT_OF_SURNAME = re.compile(
    rf"[ ]{{0,2}}(?:{RANKS}|님|산모|환아|어머니|아버지|어머님|아버님)(?:[님분]?(?:{PARTICLES})?)(?![가-힣])"
)
_TEACHER = re.compile(r"t(?![a-z])")
_ROLE_BEFORE = re.compile(rf"(?:{ROLES})[ ]{{0,2}}$")
_PHONE_WORD = re.compile(
    r"(?:휴대|핸드폰|폰|전화|연락처|뒷|뒤|끝|h\.?p|tel|phone|mobile|call)"
    r"(?:번호|전화|뒷|뒤|끝|자리|4|[번는은가이의로 :.()~-]){0,8}$",
    re.IGNORECASE,
)
_CALL_BEHIND = re.compile(r"[ ]{0,2}(?:번)?(?:으로|로)?[ ]{0,2}(?:전화|통화|연락|문자)")


def anywhere(text: Squeezed, start: int, end: int) -> bool:
    """Take what is too long to be there by chance: only what stands between is looked at."""
    return text.gap(start, end) <= _WIDEST


def as_word(text: Squeezed, start: int, end: int) -> bool:
    """Take a word of its own; Hangul may follow a Hangul word only as a particle or title."""
    return not _letter(text.before(start)) and text.gap(start, end) <= _NARROW and _ends(text, end)


def as_number(text: Squeezed, start: int, end: int) -> bool:
    """Take a number with no further digit or Latin letter glued to either side."""
    return not _code(text.before(start)) and not _code(text.after(end)) and text.gap(start, end) <= _WIDEST


def as_part_of_number(text: Squeezed, start: int, end: int) -> bool:
    """Take a part that is written with its separator (105-302, 900101-1): digits may follow, none comes before."""
    written = text.text[start:end]
    return "-" in written and text.gap(start, end) <= _NARROW and not _code(text.before(start))


def as_date(text: Squeezed, start: int, end: int) -> bool:
    """Take digits of a date with separators between, no further digit beside."""
    separated = sum(not character.isalnum() for character in text.text[start:end]) >= _NARROW
    return separated and as_number(text, start, end)


def as_name(text: Squeezed, start: int, end: int) -> bool:
    """Take a whole name: three syllables count even inside a word; two need a boundary, role, title or particle."""
    written = text.text[start:end]
    if text.gap(start, end) > _NARROW:
        return False
    glued = not text.gap(start, end)
    if glued and end - start >= _SURE_SYLLABLES:
        return True
    if not glued and any(not part.isspace() and not part.isalnum() and part != "·" for part in written):
        return False
    free = not _letter(text.before(start)) or _ROLE_BEFORE.search(text.text, max(0, start - _BEFORE), start)
    return bool(free) and _ends(text, end)


def as_given_name(text: Squeezed, start: int, end: int) -> bool:
    """Take a given name alone, glued, with nothing but a particle, title or vocative behind it."""
    free = not _letter(text.before(start)) and not text.gap(start, end)
    return free and _RIGHT_OF_GIVEN.match(text.text, end, end + _BEHIND) is not None


def as_surname(text: Squeezed, start: int, end: int) -> bool:
    """Take a surname alone before a title (김 환자, 김씨)."""
    free = not _letter(text.before(start)) and not text.gap(start, end)
    return free and _RIGHT_OF_SURNAME.match(text.text, end, end + _BEHIND) is not None


def as_address(text: Squeezed, start: int, end: int) -> bool:
    """Take a part of an address: nothing glued before, no digit behind."""
    return not _letter(text.before(start)) and not text.after(end).isdigit() and text.gap(start, end) <= _NARROW


def beside_phone_word(text: Squeezed, start: int, end: int) -> bool:
    """Take four digits by themselves with a word for telephones before, or calling behind."""
    if text.gap(start, end) or _code(text.before(start)) or _code(text.after(end)):
        return False
    before = text.text[max(0, start - _BEFORE) : start]
    behind = text.text[end : end + _BEHIND]
    return bool(_PHONE_WORD.search(before) or _CALL_BEHIND.match(behind))


def _ends(text: Squeezed, end: int) -> bool:
    after = text.after(end)
    if not _letter(after) or _TEACHER.match(text.text, end):
        return True
    return "가" <= after <= "힣" and _RIGHT_OF_NAME.match(text.text, end, end + _BEHIND) is not None


def _letter(character: str) -> bool:
    return character.isalnum()


def _code(character: str) -> bool:
    return character.isascii() and character.isalnum()
