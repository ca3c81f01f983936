"""What can go wrong while an image is built, said with what to do now."""

from __future__ import annotations


class BuildError(Exception):
    """A build stopped; `what` happened and what to do `now`. Nothing was put into the engine."""

    def __init__(self, what: str, now: str) -> None:
        super().__init__(f"{what} → {now}")
        self.what = what
        self.now = now
