"""Content items of structured reports (PS3.3 §C.17.3), by the table for them (PS3.15 E.3.4-1) and by value type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from deid.imaging.allowed import CODE_SCHEME, CODE_VALUE
from deid.imaging.elements import Element, Items, ascii_text, find
from deid.imaging.standard import Profile

CONCEPT_NAME = 0x0040A043


@dataclass(frozen=True)
class Content:
    """Judges one content item."""

    profile: Profile
    TEXT_VALUE: ClassVar[int] = 0x0040A160

    def judge(self, item: Items) -> str:
        """Give X (gone), D (emptied) or K (each of its attributes decides) for an item, by its concept."""
        names = find(item, CONCEPT_NAME)
        name = names.items[0] if names is not None and names.items else []
        key = ascii_text(find(name, CODE_SCHEME)), ascii_text(find(name, CODE_VALUE))
        action = self.profile.content.get(key, "K")
        if action in {"X", "Z"}:
            return "X"
        return "D" if action == "D" and find(item, self.TEXT_VALUE) is not None else "K"

    @classmethod
    def emptied(cls, item: Items, gone: Callable[[Element], Any]) -> Items:
        """Replace an item's text by one that is no known word, so that a dummy stands there in the end."""
        found = []
        for each in item:
            if each.tag == cls.TEXT_VALUE:
                gone(each)
                found.append(Element(each.tag, "UT", b"-"))
            else:
                found.append(each)
        return found
