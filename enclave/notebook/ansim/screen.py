"""How much may still be shown on the screen: what this hour and this day have used, and what is left.

    import ansim
    ansim.budget()

What is over the budget is replaced by an explanation; the kernel goes on running. Results that are larger leave by an
egress request, not by the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from .failure import AnsimError
from .portal import ask
from .show import html_table, text_table
from .words import say

WINDOWS = {"hour": ("이번 시간", "this hour"), "day": ("오늘", "today")}
KINDS = {"bytes": ("출력", "output"), "rows": ("표의 행", "rows of tables"), "pictures": ("그림", "pictures")}
# From here on a line is marked: little is left.
NEAR, SPENT = "#fff4d6", "#fde2e1"


@dataclass(frozen=True)
class Line:
    """One budget: ``kind`` bytes, rows or pictures, of this ``window`` hour or day."""

    window: str
    kind: str
    used: int
    left: int
    limit: int


@dataclass(frozen=True)
class Budget:
    """All budgets of this workspace as a table; ``message_bytes`` bounds one output, ``content_bytes`` one file."""

    lines: tuple[Line, ...]
    message_bytes: int
    content_bytes: int

    def __repr__(self) -> str:
        return f"{text_table(_head(), _rows(self.lines))}\n{self._note()}"

    def _repr_html_(self) -> str:
        colours = [SPENT if not each.left else NEAR if each.left * 5 < each.limit else "" for each in self.lines]
        return f"{html_table(_head(), _rows(self.lines), colours)}<p>{escape(self._note())}</p>"

    def _note(self) -> str:
        message, content = _size(self.message_bytes), _size(self.content_bytes)
        return say(
            f"출력 하나는 {message}, 파일 하나는 {content}까지 보입니다. 넘는 결과는 반출 신청으로 내보내세요.",
            f"One output may have {message}, one file {content}. Larger results leave by an egress request.",
        )


def budget() -> Budget:
    """Return what may still be shown in this hour and today. Raises `AnsimError`."""
    found = ask("GET", "/display")
    try:
        lines = tuple(_line(each) for each in found["lines"])
        return Budget(lines, int(found["message_bytes"]), int(found["content_bytes"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AnsimError(
            "client.answer",
            ko="한도를 읽을 수 없습니다.",
            en="The budget cannot be read.",
            remedy_ko="잠시 뒤 다시 하고, 계속되면 운영자에게 알리세요.",
            remedy_en="Try again in a while; if it goes on, tell the operator.",
        ) from None


def _line(found: dict[str, Any]) -> Line:
    numbers = {name: int(found[name]) for name in ("used", "left", "limit")}
    return Line(str(found["window"]), str(found["kind"]), **numbers)


def _head() -> tuple[str, ...]:
    ko, en = ("언제", "무엇", "쓴 양", "남은 양", "한도"), ("when", "what", "used", "left", "limit")
    return ko if say("ko", "en") == "ko" else en


def _rows(lines: tuple[Line, ...]) -> list[tuple[str, ...]]:
    return [
        (
            say(*WINDOWS.get(each.window, (each.window, each.window))),
            say(*KINDS.get(each.kind, (each.kind, each.kind))),
            *(_size(value) if each.kind == "bytes" else f"{value:,}" for value in (each.used, each.left, each.limit)),
        )
        for each in lines
    ]


def _size(count: int) -> str:
    value, unit = float(count), "B"
    for following in ("KiB", "MiB", "GiB"):
        if value < 1024:  # noqa: PLR2004 - binary units
            break
        value, unit = value / 1024, following
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
