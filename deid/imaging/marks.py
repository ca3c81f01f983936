"""What a de-identified object says of itself (PS3.15 E.1.1): by which profile and options, and what became of dates."""

from __future__ import annotations

from dataclasses import dataclass

from deid.imaging.elements import Element, Items
from deid.imaging.standard import BASIC, CLEAN_FEATURES, CLEAN_PIXELS, EDITION, OPTIONS, Profile

FEATURES = 0x00280302
PROVENANCE = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303, 0x00280301, FEATURES})


@dataclass(frozen=True)
class Seen:
    """What was done to the pixels: searched for letters, of which none are left; a face taken out."""

    looked_at: bool = False
    faceless: bool = False


def marks(profile: Profile, seen: Seen) -> Items:
    """Give the attributes."""
    done = [*([CLEAN_PIXELS] if seen.looked_at else []), *([CLEAN_FEATURES] if seen.faceless else [])]
    chosen = [BASIC, *done, *(OPTIONS[each] for each in sorted(profile.options))]
    found = [
        Element(0x00120062, "CS", b"YES"),
        Element(0x00120063, "LO", f"Ansim, PS3.15 {EDITION}".encode("ascii")),
        Element(0x00120064, "SQ", items=[_code(*each) for each in chosen]),
        Element(0x00280303, "CS", _dates(profile)),
    ]
    if seen.faceless:
        found.append(Element(FEATURES, "CS", b"NO"))
    return [*found, Element(0x00280301, "CS", b"NO")] if seen.looked_at else found


def _dates(profile: Profile) -> bytes:
    if profile.shifts:
        return b"MODIFIED"
    return b"UNMODIFIED" if "retain_longitudinal_full_dates" in profile.options else b"REMOVED"


def _code(value: str, meaning: str) -> Items:
    return [
        Element(0x00080100, "SH", value.encode("ascii")),
        Element(0x00080102, "SH", b"DCM"),
        Element(0x00080104, "LO", meaning.encode("ascii")[:64]),
    ]
