"""Completed years of age in bands; from 90 one band, as the oldest are few (HIPAA 45 CFR 164.514(b)(2)(i)(C))."""

from __future__ import annotations

from dataclasses import dataclass

from deid.hierarchies.hierarchy import ALL, Hierarchy

OLDEST = 130
WIDTHS, TOPS = (1, 5, 10, 20), (90, 90, 90, 80)


@dataclass(frozen=True)
class Age(Hierarchy):
    """Levels: 0 years to 90+, 1 bands of five to 90+, 2 of ten to 90+, 3 of twenty to 80+, 4 all.

    The bands of twenty do not nest in those that end at 90: 80-89 and 90+ are one there.
    """

    name: str = "age"
    sizes: tuple[int, ...] = (91, 19, 10, 5, 1)

    def label(self, value: str, level: int) -> str | None:
        """See `Hierarchy.label`; the same labels as `treatments.bands`."""
        text = value.strip()
        if not (text.isascii() and text.isdigit()) or int(text) > OLDEST:
            return None
        if level == self.levels:
            return ALL
        age, width, top = int(text), WIDTHS[level], TOPS[level]
        low = age // width * width
        if age >= top:
            return f"{top}+"
        return f"{low}-{low + width - 1}" if width > 1 else str(age)
