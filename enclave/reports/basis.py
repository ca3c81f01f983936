"""What a report rests on: the checkpoint of the signed log under which it was made and that each page carries. Pure.

The checkpoint is not of the report's data: a report of a past day has the same data whenever it is made, and is printed
under the checkpoint of the day on which it was made.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.paper import Sheet
from enclave.reports.document import Pair, Section


@dataclass(frozen=True)
class Basis:
    """`size`: how many entries the checkpoint covers; `seen`: how far witnesses have seen them, as it is printed."""

    sheet: Sheet
    size: int
    seen: str

    @property
    def about(self) -> tuple[tuple[Pair, str], ...]:
        """The lines for the head of the report."""
        return (
            (("접속기록", "log"), f"확인점까지 {self.size:,}건"),
            (("밖의 증인", "witness outside"), self.seen),
        )

    def section(self, number: int, text: Pair) -> Section:
        """Return the last section of a report; `text`: what was taken from where."""
        return Section(
            (f"{number}. 근거", "What this rests on"),
            text=(
                text,
                (
                    "확인점을 보관하면 그 뒤의 어떤 고쳐 쓰기도 드러납니다(ansim audit compare).",
                    "Whoever keeps the checkpoint notices any rewriting of what it covers.",
                ),
            ),
        )
