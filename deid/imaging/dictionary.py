"""The data dictionary by tag number (pydicom's, PS3.6): never by keyword, which differ between editions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from deid.imaging.lists import pydicom_list

TAGS: Mapping[int, tuple[str, str, str, str, str]] = pydicom_list("_dicom_dict").DicomDictionary
UIDS: Mapping[str, tuple[str, str, str, str, str]] = pydicom_list("_uid_dict").UID_dictionary
# Attributes of 2023 to 2026 that pydicom 3.0.2 does not know and which the table names: what they hold.
LATER = {0x0040B020: ("SQ",)}
CLASS = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1(\.\d{1,3}){1,5}", re.ASCII)
LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
NUMBERS = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "SV": 8, "UV": 8, "AT": 2}
BULK = {"OB": 1, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
TEXT = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
SINGLE = frozenset({"ST", "LT", "UT", "UR"})  # text in which a backslash is a letter
VRS = frozenset({*LONG, *NUMBERS, *TEXT, "AS", "DA", "DS", "DT", "IS", "TM", "UI"})
VR_OF = {vr.encode("ascii"): vr for vr in VRS}


@lru_cache(maxsize=16384)
def vrs(tag: int) -> tuple[str, ...]:
    """Give the value representations that an attribute may have; none for one that is not in the dictionary."""
    entry = TAGS.get(tag)
    if entry is None:
        return LATER.get(tag, ())
    return tuple(entry[0].split(" or "))


@lru_cache(maxsize=16384)
def most_values(tag: int) -> int | None:
    """Give how many values an attribute may have; None for as many as there are."""
    entry = TAGS.get(tag)
    most = entry[1].split(" or ")[0].rpartition("-")[2] if entry else "n"
    return int(most) if most.isdigit() else None


@lru_cache(maxsize=16384)
def is_retired(tag: int) -> bool:
    """Whether an attribute was retired; unknown ones are not."""
    entry = TAGS.get(tag)
    return entry is not None and entry[3] == "Retired"


@lru_cache(maxsize=4096)
def is_registered(uid: str) -> bool:
    """Whether a UID is one of the standard's own (a class, a syntax, a context group), and so nobody's instance."""
    # A storage class that is younger than the dictionary is still a class: small numbers under the standard's own root.
    return uid in UIDS or CLASS.fullmatch(uid) is not None
