"""Why a repair could not be made, in words for the person who asked for it."""

from __future__ import annotations


class RepairRefused(Exception):  # noqa: N818 - named for what happened; becomes an answer
    """A repair does not fit this file; ``rule`` is a stable code, ``ko`` and ``en`` say why and what now."""

    def __init__(self, rule: str, ko: str, en: str) -> None:
        super().__init__(en)
        self.rule, self.ko, self.en = rule, ko, en
