"""Drug codes: the WHO's Anatomical Therapeutic Chemical classification, five levels by 1, 3, 4, 5 and 7 characters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deid.hierarchies.hierarchy import ALL, Hierarchy

# The fourteen anatomical main groups (WHO Collaborating Centre for Drug Statistics Methodology, ATC structure).
CODE = re.compile(r"[ABCDGHJLMNPRSV](?:\d\d(?:[A-Z](?:[A-Z](?:\d\d)?)?)?)?")
LENGTHS = (7, 5, 4, 3, 1)


@dataclass(frozen=True)
class Atc(Hierarchy):
    """Levels: 0 substance (A10BA02), 1 chemical group (A10BA), 2 (A10B), 3 (A10), 4 anatomical group (A), 5 all.

    A code that is shorter than its level asks for stays as it is.
    """

    name: str = "atc"
    sizes: tuple[int, ...] = (5600, 890, 270, 94, 14, 1)

    def label(self, value: str, level: int) -> str | None:
        """See `Hierarchy.label`; upper or lower case."""
        code = value.strip().upper()
        if not CODE.fullmatch(code):
            return None
        return ALL if level == self.levels else code[: LENGTHS[level]]
