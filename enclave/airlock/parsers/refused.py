"""How a parser says no."""

from __future__ import annotations


class ParseRefused(Exception):  # noqa: N818 - named for what happened; becomes a finding
    """The bytes do not have the form they claim; ``ko`` and ``en`` say why and what now, without content."""

    def __init__(self, rule: str, ko: str, en: str) -> None:
        super().__init__(en)
        self.rule, self.ko, self.en = rule, ko, en
