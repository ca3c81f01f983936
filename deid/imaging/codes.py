"""Coded entries (PS3.3 §8.8): a code that the standard uses, or one whose form says so; its meaning in known words.

The meaning is a free text beside the code, so it is written anew from pydicom's copy of the standard's vocabulary where
the code is known there. A hospital's own codes go: they may name a ward, a physician, a patient.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from deid.imaging.lists import pydicom_list
from deid.imaging.vocabulary import cleaned

# Terminologies of which the standard lists a few codes only, and whose form no number of a record has by chance: by a
# check digit (`CHECKED`), or because hardly anything can be written in it. Of every other scheme (UMLS, DCM, NCIt, FMA,
# RADLEX, MDC, SNOMED's old codes) a code passes if the standard itself uses it: its form may be a record's number.
FORMS = {
    "SCT": r"[1-9]\d{5,17}",
    "LN": r"\d{1,5}-\d",
    "I10": r"[A-Z]\d\d(\.\d{1,2})?",
    "BI": r"[0-6][abc]?|[IV]{1,3}(\.[A-Z]{1,2}(\.[a-z1-9]){0,3})?",
    "SCPECG": r"5\.(4\.5-33-1(-\d)?|6\.3-9-\d{1,3}|7\.1-\d|10\.[23](\.\d)?-\d{1,2}|13\.5-\d{1,2})",
}
OLD_SNOMED = ("SRT", "SNM3", "99SDM")  # one terminology under three names, of codes such as T-D1100
FORMATS = {scheme: re.compile(form, re.ASCII) for scheme, form in FORMS.items()}
_SYMBOL = "[munkcdM]?(m|s|g|l|L|Hz|V|A|K|mol|Pa|T|eV|Gy|Sv|Bq|deg|Cel|rad|h|min|d|bar|W|J|kg)"
# Units: products and quotients of short unit symbols with powers; braces hold annotations, of which few are known.
UNIT = re.compile(
    rf"1|%|({_SYMBOL}\d?)([./]{_SYMBOL}-?\d?){{0,3}}|mm\[Hg\]|\[?hnsf'?U\]?|dB|\[degF\]|10\*-?\d|1/s|/min"
    r"|\{(ratio|counts|score|status|breaths|H\.B\.)\}(/min)?"
)
VERSION = re.compile(r"\d{1,2}(\.\d{1,3})?", re.ASCII)
DUMMY = ("REMOVED", "99ANSIM", "Removed")
_VERHOEFF = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7), (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)  # fmt: skip
_DIHEDRAL = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip


@cache
def meanings() -> dict[tuple[str, str], str]:
    """Give the meaning of each code that the standard itself uses (PS3.16), by scheme and value."""
    concepts: Any = pydicom_list("sr/_concepts_dict").concepts
    snomed: dict[str, str] = pydicom_list("sr/_snomed_dict").mapping["SRT"]
    found = {
        (scheme, code): str(meaning)
        for scheme, words in concepts.items()
        for codes in words.values()
        for code, (meaning, *_) in codes.items()
    }
    old = {code: found["SCT", new] for code, new in snomed.items() if ("SCT", new) in found}
    return found | {(scheme, code): meaning for scheme in OLD_SNOMED for code, meaning in old.items()}


def settled(scheme: str, value: str, meaning: str) -> tuple[str, str, str] | None:
    """Give value, scheme and meaning of a code as they may be published; None for a code that may not."""
    known = meanings().get((scheme, value))
    if known is not None:
        return value, scheme, known
    if scheme == "UCUM":
        return (value, scheme, cleaned(meaning, whole=True) or value) if UNIT.fullmatch(value) else None
    form = FORMATS.get(scheme)
    if form is None or not form.fullmatch(value) or not CHECKED.get(scheme, bool)(value):
        return None
    return value, scheme, cleaned(meaning) or value


def version(text: str) -> bytes:
    """Give a coding scheme's version as it may be published: a short number, else nothing."""
    return text.encode("ascii") if VERSION.fullmatch(text) else b""


def is_loinc(value: str) -> bool:
    """Whether a LOINC code's check digit is right (modulus 10, doubled from the right)."""
    digits = [int(each) for each in reversed(value) if each.isdigit()]
    return sum(sum(divmod(each * (1 + place % 2), 10)) for place, each in enumerate(digits)) % 10 == 0


def is_sct(value: str) -> bool:
    """Whether a number is a SNOMED CT concept's: its partition (the two digits before the last) and its check digit.

    One number in five hundred is by chance (Verhoeff's check, partitions 00 and 10).
    """
    if value[-3:-1] not in {"00", "10"}:
        return False
    check = 0
    for place, digit in enumerate(reversed(value)):
        check = _DIHEDRAL[check][_VERHOEFF[place % 8][int(digit)]]
    return check == 0


CHECKED: Mapping[str, Callable[[str], bool]] = {"SCT": is_sct, "LN": is_loinc}
