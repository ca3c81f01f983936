"""What a de-identified object says of itself (PS3.15 E.1.1): by which profile and options, and what became of dates."""

from __future__ import annotations

from deid.imaging.elements import Element, Items
from deid.imaging.standard import BASIC, CLEAN_PIXELS, EDITION, OPTIONS, Profile

PROVENANCE = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303, 0x00280301})


def marks(profile: Profile, *, looked_at: bool) -> Items:
    """Give the attributes; `looked_at` says that the pixels were searched for letters, and that none are left."""
    chosen = [BASIC, *([CLEAN_PIXELS] if looked_at else []), *(OPTIONS[each] for each in sorted(profile.options))]
    found = [
        Element(0x00120062, "CS", b"YES"),
        Element(0x00120063, "LO", f"Ansim, PS3.15 {EDITION}".encode("ascii")),
        Element(0x00120064, "SQ", items=[_code(*each) for each in chosen]),
        Element(0x00280303, "CS", _dates(profile)),
    ]
    return [*found, Element(0x00280301, "CS", b"NO")] if looked_at else found


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
