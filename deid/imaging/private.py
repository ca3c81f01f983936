"""Private attributes by a list (PS3.15 E.3.10): who made them, which group and number, and what they hold.

A private attribute is known by its creator, not by its number alone: the block in which it lies is reserved anew in
each data set (PS3.5 §7.8).
"""

from __future__ import annotations

from dataclasses import dataclass

from deid.imaging.elements import Items

FIRST_BLOCK, LAST_BLOCK = 0x10, 0xFF


@dataclass(frozen=True)
class SafePrivate:
    """The list: (creator, group, low byte of the element's number) to the representation that its value must have."""

    attributes: dict[tuple[str, int, int], str]

    def kept(self, elements: Items) -> dict[int, str]:
        """Find which private attributes of a level pass, with their representation; their creators pass with them."""
        creators = {
            (each.group, each.tag & 0xFFFF): bytes(each.value).decode("latin-1").strip(" \0")
            for each in elements
            if each.is_private and FIRST_BLOCK <= each.tag & 0xFFFF <= LAST_BLOCK and each.items is None
        }
        found: dict[int, str] = {}
        for each in elements:
            block = each.tag >> 8 & 0xFF
            creator = creators.get((each.group, block))
            vr = self.attributes.get((creator, each.group, each.tag & 0xFF)) if creator else None
            if vr is not None and each.is_private:
                found[each.tag] = vr
                found[each.group << 16 | block] = "creator"
        return found
