"""The one error of this package: short, with a code and what to do now; a notebook shows it without a traceback."""

from __future__ import annotations

from .words import say


class AnsimError(Exception):
    """Nothing was sent, or the portal said no: ``code``, what happened, what to do now, in both languages."""

    def __init__(self, code: str, *, ko: str, en: str, remedy_ko: str = "", remedy_en: str = "") -> None:
        super().__init__(code, ko, en)
        self.code, self.ko, self.en = code, ko, en
        self.remedy_ko, self.remedy_en = remedy_ko, remedy_en

    def __str__(self) -> str:
        remedy = say(self.remedy_ko, self.remedy_en)
        return f"{say(self.ko, self.en)}{' ' + remedy if remedy else ''} [{self.code}]"

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: a person wants the sentence, not our call stack.
        return [f"AnsimError: {self}"]
