"""What a workspace says about one of its files: the recipe that made it, the code that made it. Hints until checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """``recipe``: as JSON gave it, read by nobody yet; ``code``: the name of another file of the same submission."""

    recipe: object = None
    code: str = ""


NOTHING = About()
