"""Two ways of comparing numbers of people: `spellings.py` compares, with Polars, which not everybody who asks needs."""

from __future__ import annotations

ALIKE, EXACT = "alike", "exact"
SPELLINGS = (ALIKE, EXACT)
