"""The data set against the profile: default-deny, by tag number, to any depth (PS3.15 Annex E).

One attribute meets one of the table's actions or, unlisted, the default by what it can hold. Sequences are followed
with the same rules whatever they are called: what stands in them decides. Private attributes pass by a list alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from deid.imaging import allowed, codes
from deid.imaging.content import Content
from deid.imaging.dictionary import vrs
from deid.imaging.elements import Element, Items
from deid.imaging.gone import WORDS
from deid.imaging.leaves import Leaves, dummy
from deid.imaging.private import SafePrivate
from deid.imaging.standard import CURVES, OVERLAYS, Profile

PATIENT_NAME, PATIENT_ID = 0x00100010, 0x00100020
PERSON_CODES, PATIENT = 0x00401101, 0x0010
# Sequences of references: nothing but UIDs is left in them by the rules, and images stay tied to each other.
REFERENCES = frozenset({0x00081110, 0x00081111, 0x00081140, 0x00082112})
# Sequences that the table wants as a dummy, and whose members are all decided one by one.
FOLLOWED = frozenset({0x0040A073, 0x00700001})
# Coded entries that may not be empty: a dummy code stands in for one that may not pass.
NEEDS_CODE = frozenset({0x0040A043, 0x0040A168, 0x004008EA, 0x00620003, 0x0062000F, PERSON_CODES})
CONTENT = frozenset({0x0040A730, 0x00400555, 0x00400441, 0x00400612})
NEVER = frozenset({*CURVES, *OVERLAYS})
PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010, 0x7FE00001, 0x7FE00002, 0x7FE00003})


@dataclass
class Cleaner:
    """Cleans the data sets of one file; `notes` counts what was done, by kind."""

    profile: Profile
    leaves: Leaves
    safe_private: SafePrivate
    pseudonym: str
    notes: Counter[str] = field(default_factory=Counter)

    def clean(self, elements: Items, depth: int = 0) -> Items:
        """Return what may be published of one level."""
        safe = self.safe_private.kept(elements) if "retain_safe_private" in self.profile.options else {}
        found = []
        for each in elements:
            kept = self._private(each, safe) if each.is_private else self._standard(each, depth)
            if kept is not None:
                found.append(kept)
        return found

    def _private(self, element: Element, safe: dict[int, str]) -> Element | None:
        vr = safe.get(element.tag)
        if vr is None or element.items is not None:
            return self._drop(element, "private", lasting=False)
        kept = self.leaves.keep(element, vr) if vr != "creator" else element
        return kept or self._drop(element, "private", lasting=False)

    def _standard(self, element: Element, depth: int) -> Element | None:
        tag = element.tag
        if not tag & 0xFFFF or tag >> 16 in {0x0000, 0x0002, 0x0004, 0xFFFC, 0xFFFE}:
            return None
        if tag in PIXELS:
            # Pictures are treated on their own, at the top; deeper ones are icons.
            return element if depth == 0 else self._drop(element, "icon", lasting=False)
        if depth == 0 and tag in {PATIENT_ID, PATIENT_NAME}:
            self.leaves.gone.add(Element(tag, vrs(tag)[0], element.value), lasting=True)
            return Element(tag, vrs(tag)[0], self.pseudonym.encode("ascii"))
        action = self.profile.action(tag)
        if not (element.items or element.value) and vrs(tag) and (tag >> 16) not in NEVER:
            # Nothing is in it, and an attribute that must be there (type 2) is.
            return Element(tag, vrs(tag)[0], items=[] if vrs(tag)[0] == "SQ" else None)
        if element.items is not None or vrs(tag)[:1] == ("SQ",):
            return self._sequence(element, action, depth)
        vr = _vr(element)
        return self._by_action(element, vr, action) if action else self._by_default(element, vr)

    def _by_action(self, element: Element, vr: str, action: str) -> Element | None:
        if action == "U":
            return self.leaves.uid(Element(element.tag, "UI", element.value))
        if action == "K":
            kept = self._as_it_is(element, vr)
            return kept or self._drop(element, "form", lasting=False)
        if action == "C":
            return self._cleaned(element, vr)
        self._drop(element, "listed", lasting=True)
        if action == "X":
            return None
        return Element(element.tag, vr) if action == "Z" else dummy(element.tag, vr)

    def _as_it_is(self, element: Element, vr: str) -> Element | None:
        if vr == "UI":
            return Element(element.tag, vr, element.value)
        if element.tag >> 16 == PATIENT and vr in {"LO", "SH", "ST", "LT", "UT", "UC"}:
            # A patient's characteristics are terms and numbers; what else is written there may be anything.
            return self.leaves.clean(element, vr)
        return self.leaves.keep(element, vr)

    def _cleaned(self, element: Element, vr: str) -> Element | None:
        """Follow C; where nothing is left, follow what the profile says without the option."""
        if vr in {"DA", "DT", "TM"}:
            kept = self.leaves.date(element, vr)
        elif vr == "UI":
            kept = self.leaves.uid(element)
        else:
            kept = self.leaves.clean(element, vr) if vr in {"LO", "SH", "ST", "LT", "UT", "CS", "UC"} else None
        if kept is not None:
            return kept
        self._drop(element, "words", lasting=False)
        basic = self.profile.basic(element.tag)
        if basic == "X" or (not element.value and basic != "D"):
            return None
        return Element(element.tag, vr) if basic == "Z" else dummy(element.tag, vr)

    def _by_default(self, element: Element, vr: str) -> Element | None:
        if element.tag == Content.TEXT_VALUE:
            return self.leaves.clean(Element(element.tag, "UT", element.value), "UT") or dummy(element.tag, "UT")
        what = allowed.default(element.tag)
        kept: Element | None = None
        if what == allowed.KEEP:
            kept = self.leaves.keep(element, vr)
        elif what == allowed.UID:
            kept = self.leaves.uid(element)
        elif what == allowed.DATE and self.profile.shifts:
            kept = self.leaves.date(element, vr)
        elif what == allowed.DATE and "retain_longitudinal_full_dates" in self.profile.options:
            kept = self.leaves.keep(element, vr)
        elif what == allowed.CLEAN:
            kept = self.leaves.clean(element, vr) or dummy(element.tag, vr)
        return kept or self._drop(element, "unlisted", lasting=False)

    def _sequence(self, element: Element, action: str | None, depth: int) -> Element | None:
        tag = element.tag
        if element.items is None:
            return self._drop(element, "form", lasting=False)
        if tag in REFERENCES or tag in FOLLOWED:
            action = "C"
        if tag == PERSON_CODES:
            self._drop(element, "listed", lasting=True)
            return Element(tag, "SQ", items=[_dummy_code()])
        if action in {"X", "Z", "D", "U"}:
            self._drop(element, "listed", lasting=True)
            return Element(tag, "SQ", items=[]) if action == "Z" else None
        if action is None and allowed.default(tag) == allowed.DROP:
            return self._drop(element, "unlisted", lasting=False)
        items = [self._item(item, tag, depth) for item in element.items]
        kept = [item for item in items if item is not None]
        if not kept and items:
            return Element(tag, "SQ", items=[_dummy_code()]) if tag in NEEDS_CODE else None
        return Element(tag, "SQ", items=kept)

    def _item(self, item: Items, parent: int, depth: int) -> Items | None:
        if any(each.tag in {allowed.CODE_VALUE, allowed.LONG_CODE, allowed.URN_CODE} for each in item):
            return self._code(item, depth)
        if parent in CONTENT:
            verdict = Content(self.profile).judge(item)
            if verdict == "X":
                for each in item:
                    self._drop(each, "content", lasting=False)
                return None
            if verdict == "D":
                item = Content.emptied(item, lambda each: self._drop(each, "content", lasting=False))
        return self.clean(item, depth + 1)

    def _code(self, item: Items, depth: int) -> Items | None:
        """Settle a coded entry; what else an item holds (an agent's volume beside its code) is cleaned as anywhere."""
        read = self.leaves.letters.read
        coded = {each.tag: each for each in item if each.tag in allowed.CODES and each.items is None}
        values = {tag: read(each.value) for tag, each in coded.items()}
        rest = self.clean(
            [each for each in item if each.tag not in coded and each.tag not in allowed.CONTEXT], depth + 1
        )
        value = values.get(allowed.CODE_VALUE) or values.get(allowed.LONG_CODE, "")
        settled = codes.settled(values.get(allowed.CODE_SCHEME, ""), value, values.get(allowed.CODE_MEANING, ""))
        if settled is None:
            for each in coded.values():
                self._drop(each, "codes", lasting=False)
            return [*_dummy_code(), *rest] if rest else None
        self.leaves.kept.update([*settled, *WORDS.findall(settled[2])])
        if values.get(allowed.CODE_MEANING, settled[2]) != settled[2]:
            meaning = coded[allowed.CODE_MEANING]
            self.leaves.gone.add(Element(meaning.tag, "LO", meaning.value), lasting=False)
        version = codes.version(values.get(allowed.CODE_VERSION, ""))
        return [*_code(*settled), *([Element(allowed.CODE_VERSION, "SH", version)] if version else []), *rest]

    def _drop(self, element: Element, note: str, *, lasting: bool) -> Element | None:
        """Count and note what is taken out; gives None, which is what is left of it."""
        self.notes[note] += 1
        vr = element.vr if element.items is not None or element.is_private else _vr(element)
        self.leaves.gone.add(Element(element.tag, vr, element.value, element.items, element.fragments), lasting=lasting)
        return None


def _vr(element: Element) -> str:
    """Give the representation that the dictionary says, or the file's own where it leaves a choice or says nothing."""
    known = vrs(element.tag)
    if element.vr in known or not known:
        return element.vr
    return known[0]


def _code(value: str, scheme: str, meaning: str) -> Items:
    tag = allowed.CODE_VALUE if len(value) <= 16 else allowed.LONG_CODE  # noqa: PLR2004 - SH
    return [
        Element(tag, "SH" if tag == allowed.CODE_VALUE else "UC", value.encode("ascii")),
        Element(allowed.CODE_SCHEME, "SH", scheme.encode("ascii")),
        Element(allowed.CODE_MEANING, "LO", meaning.encode("ascii", "ignore")[:64]),
    ]


def _dummy_code() -> Items:
    return _code(*codes.DUMMY)
