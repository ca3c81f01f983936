"""What a recogniser reports: one span of a text, its type, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """Characters `start` to `end` (half open) of a text look like an identifier of `type`; `score` is in (0, 1]."""

    start: int
    end: int
    type: str
    score: float
