"""How often the log is reviewed: what the internal plan (내부관리계획) says, and when a review is late (R81). Pure.

Notice 2026-9 leaves interval, method and follow-up to the plan; monthly is what it said before and what we begin with.
See korea.md §0.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from enclave.errors import Invalid

MOST_MONTHS, MOST_DAYS, MOST_NAME = 12, 60, 60


@dataclass(frozen=True)
class Plan:
    """`version`: how the plan calls itself; a period ends with a calendar month, and is signed within `sign_days`.

    `months` 1 to 12, `sign_days` 1 to 60 calendar days. Raises `Invalid` (`review-plan.*`) outside.
    """

    version: str
    months: int = 1
    sign_days: int = 10

    def __post_init__(self) -> None:
        for name, value, most in (("months", self.months, MOST_MONTHS), ("sign_days", self.sign_days, MOST_DAYS)):
            if not 1 <= value <= most:
                raise Invalid(
                    f"review-plan.{name.replace('_', '-')}",
                    ko=f"점검 주기의 ‘{name}’은(는) 1~{most}이어야 합니다({value}을(를) 적음).",
                    en=f"‘{name}’ of the review's cycle is 1 to {most}, not {value}.",
                    remedy_ko="내부관리계획에 적힌 주기를 다시 확인하세요.",
                    remedy_en="Look again at the interval that the internal plan gives.",
                )
        if not 1 <= len(self.version.strip()) <= MOST_NAME:
            raise Invalid(
                "review-plan.version",
                ko=f"내부관리계획의 판(1~{MOST_NAME}자)을 적어야 합니다.",
                en=f"The version of the internal plan is missing (1 to {MOST_NAME} characters).",
                remedy_ko="결재된 계획서 표지의 판 번호를 적으세요.",
                remedy_en="Write the number on the cover of the plan in force.",
            )

    @property
    def is_long(self) -> bool:
        """Whether the interval is longer than a month: allowed, and always said."""
        return self.months > 1

    def ends_on(self, started: date) -> date:
        """Return the last day of a period that began on this Korean day."""
        months = started.month - 1 + self.months - 1
        year, month = started.year + months // 12, months % 12 + 1
        return date(year, month, calendar.monthrange(year, month)[1])

    def due_on(self, started: date) -> date:
        """Return the last day on which a period that began on this day may be signed without being late."""
        return self.ends_on(started) + timedelta(days=self.sign_days)

    def late(self, started: date, today: date) -> int:
        """Return by how many days a period that is not signed yet is overdue; 0 while it is not."""
        return max((today - self.due_on(started)).days, 0)


FIRST = Plan("기본 1")
