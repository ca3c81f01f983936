"""PS3.15 Annex E as data: what the Basic Profile and its options say of each attribute, edition 2026d.

The table is vendored (`ps315_2026d.json`, where it comes from stands in it and in NOTICE). It is a list of what must
not pass, not of what may: what it does not name is decided in `allowed.py`, by default against.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("ps315_2026d.json")
EDITION = "2026d"
# The ten options of Table E.1-1 and their codes in CID 7050; the profile itself, and the two options on pixels.
OPTIONS = {
    "retain_safe_private": ("113111", "Retain Safe Private Option"),
    "retain_uids": ("113110", "Retain UIDs Option"),
    "retain_device_identity": ("113109", "Retain Device Identity Option"),
    "retain_institution_identity": ("113112", "Retain Institution Identity Option"),
    "retain_patient_characteristics": ("113108", "Retain Patient Characteristics Option"),
    "retain_longitudinal_full_dates": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "retain_longitudinal_modified_dates": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "clean_descriptors": ("113105", "Clean Descriptors Option"),
    "clean_structured_content": ("113104", "Clean Structured Content Option"),
    "clean_graphics": ("113103", "Clean Graphics Option"),
}
BASIC = ("113100", "Basic Application Confidentiality Profile")
CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")
CLEAN_FEATURES = ("113102", "Clean Recognizable Visual Features Option")
# Of two or three letters the one that is right for every type of attribute: an empty value where a dummy is not asked
# for, a dummy where it may be; the references to images are kept with mapped UIDs.
SETTLED = {"X/Z": "Z", "X/D": "D", "X/Z/D": "D", "Z/D": "D", "X/Z/U*": "U"}
CURVES, OVERLAYS = range(0x5000, 0x5100), range(0x6000, 0x6100)


@cache
def table() -> Any:
    """Read the vendored table."""
    return json.loads(FILE.read_bytes())


@dataclass(frozen=True)
class Profile:
    """The Basic Profile with some of the ten options; `action` answers X, Z, D, U, K, C, or None for unlisted."""

    options: frozenset[str]

    @cached_property
    def _actions(self) -> dict[int, str]:
        rules = (rule for rule in table()["rules"] if rule["tag"].isalnum() and _is_number(rule["tag"]))
        return {int(rule["tag"], 16): self._settle(rule) for rule in rules}

    @cached_property
    def content(self) -> dict[tuple[str, str], str]:
        """What is done to content items of structured reports (Table E.3.4-1), by scheme and code of their concept."""
        return {(item["scheme"], item["code"]): self._settle(item) for item in table()["content_items"]}

    def action(self, tag: int) -> str | None:
        """Give the action for an attribute by its number; curves and overlays always go."""
        group = tag >> 16
        return "X" if group in CURVES or group in OVERLAYS else self._actions.get(tag)

    def basic(self, tag: int) -> str:
        """Give what the profile says of a listed attribute without its options: X, Z, D or U."""
        return self._basic.get(tag, "X")

    @cached_property
    def _basic(self) -> dict[int, str]:
        return Profile(frozenset())._actions  # noqa: SLF001 - its own kind

    @property
    def shifts(self) -> bool:
        """Whether dates are moved by the patient's offset."""
        return "retain_longitudinal_modified_dates" in self.options

    def _settle(self, rule: dict[str, Any]) -> str:
        chosen = [letter for option, letter in rule["options"].items() if option in self.options]
        # Two options that both apply: what is cleaned is safe for either.
        if chosen:
            return "C" if "C" in chosen else str(chosen[0])
        return SETTLED.get(rule["basic"], str(rule["basic"]))


def _is_number(tag: str) -> bool:
    return all(letter in "0123456789ABCDEF" for letter in tag)
