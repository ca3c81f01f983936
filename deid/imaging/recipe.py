"""The section `imaging:` of a folder's recipe: the profile's options, which pictures are searched, what is refused.

What is left out is as strict as it can be.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deid.imaging.defacing.masks import Masks
from deid.imaging.dictionary import VRS
from deid.imaging.faces import REFUSE, REMOVE, WARN
from deid.imaging.private import SafePrivate
from deid.imaging.standard import EDITION, OPTIONS, Profile
from deid.recipe_yaml import Node

OLDEST = 89  # years: older people are told as one group (HIPAA; the Korean guideline's 89+)


@dataclass(frozen=True)
class LetterRules:
    """Which pictures are searched for letters, and how: `always` modalities; `sampled` ones every n-th series' picture.

    `threshold` is the detector's (0 to 1); `largest` is the short side (share of the picture's) above which a find is
    anatomy and not letters; `never` switches the search off, with a warning in each report.
    """

    always: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset({"CT", "MR", "PT", "NM"})
    sample_every: int = 500
    threshold: float = 0.3
    largest: float = 0.05
    never: bool = False


@dataclass(frozen=True)
class ImagingRules:
    """What the section says.

    Of one run and not of it: `masks` (`defacing/masks.py`), and whether files are named so that a DICOMDIR can refer
    to them (`directory.py`).
    """

    profile: Profile
    age_top: int = OLDEST + 1
    safe_private: SafePrivate = field(default_factory=lambda: SafePrivate({}))
    letters: LetterRules = field(default_factory=LetterRules)
    faces: str = WARN
    masks: Masks | None = None
    file_ids: bool = False


def parse_imaging(node: Node) -> ImagingRules:
    """Read the section. Raises `RecipeError`."""
    fields = node.fields(("standard", "options"), ("age_top", "safe_private", "letters", "faces"))
    fields["standard"].one_of((EDITION,))
    chosen = [item.one_of(tuple(OPTIONS)) for item in fields["options"].items()]
    if {"retain_longitudinal_full_dates", "retain_longitudinal_modified_dates"} <= set(chosen):
        fields["options"].fail("options", "날짜 선택지는 하나만 됩니다.", "only one option on dates can be chosen.")
    return ImagingRules(
        profile=Profile(frozenset(chosen)),
        age_top=fields["age_top"].integer(1, 130) if "age_top" in fields else OLDEST + 1,
        safe_private=_safe_private(fields.get("safe_private")),
        letters=_letters(fields.get("letters")),
        faces=fields["faces"].one_of((WARN, REFUSE, REMOVE)) if "faces" in fields else WARN,
    )


def _safe_private(node: Node | None) -> SafePrivate:
    found = {}
    for item in node.items() if node else []:
        fields = item.fields(("creator", "group", "element", "vr"))
        group, element = (_hexadecimal(fields[name], digits) for name, digits in (("group", 4), ("element", 2)))
        found[fields["creator"].text(), group, element] = fields["vr"].one_of(tuple(sorted(VRS - {"SQ", "UN"})))
    return SafePrivate(found)


def _hexadecimal(node: Node, digits: int) -> int:
    text = node.text()
    try:
        value = int(text, 16)
    except ValueError:
        value = -1
    if len(text) != digits or value < 0:
        node.fail("number", f"16진수 {digits}자리여야 합니다.", f"must be {digits} hexadecimal digits.")
    return value


def _letters(node: Node | None) -> LetterRules:
    fields = node.fields((), ("always", "spared", "sample_every", "threshold", "largest", "never")) if node else {}
    said = LetterRules()
    return LetterRules(
        always=_words(fields.get("always"), said.always),
        spared=_words(fields.get("spared"), said.spared),
        sample_every=fields["sample_every"].integer(1, 10**6) if "sample_every" in fields else said.sample_every,
        threshold=fields["threshold"].number(0.05, 0.95) if "threshold" in fields else said.threshold,
        largest=fields["largest"].number(0.01, 1) if "largest" in fields else said.largest,
        never=fields["never"].flag() if "never" in fields else said.never,
    )


def _words(node: Node | None, otherwise: frozenset[str]) -> frozenset[str]:
    return frozenset(item.text() for item in node.items()) if node else otherwise
