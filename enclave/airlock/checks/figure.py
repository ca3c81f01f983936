"""R59: vector and interactive figures hold their numbers exactly; what they hold is counted, what acts is stopped."""

from __future__ import annotations

from enclave.airlock.checks.findings import block, mended_by, warn
from enclave.airlock.figures.shapes import Count
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

RASTERISE = "rasterise"
SHOWN = 60


def check_count(found: Count, rules: CheckRules, *, place: str = "") -> list[Finding]:
    """Stop a figure with more dots than the minimum cell, or more values than the policy allows."""
    if found.marks > rules.min_cell:
        stopped = block(
            "figure.points",
            f"점 {found.marks:,}개의 정확한 값이 들어 있습니다({rules.min_cell}개까지). PNG로 바꾸어 제출하세요.",
            f"It holds the exact values of {found.marks:,} dots ({rules.min_cell} allowed). Make it a PNG.",
            place=place,
        )
        return [mended_by(stopped, RASTERISE)]
    if found.points > rules.max_points:
        stopped = block(
            "figure.values",
            f"정확한 값 {found.points:,}개가 들어 있습니다({rules.max_points}개까지). PNG로 바꾸어 제출하세요.",
            f"It holds {found.points:,} exact values ({rules.max_points} allowed). Make it a PNG.",
            place=place,
        )
        return [mended_by(stopped, RASTERISE)]
    return []


def active(what: str, *, place: str = "") -> Finding:
    """Return the finding about something that acts when the file is opened."""
    found = block(
        "figure.active",
        "열면 움직이거나 실행되는 내용(스크립트, 이벤트, 애니메이션, 삽입 개체)이 있습니다. 빼거나 PNG로 바꾸세요.",
        "Something in it acts when it is opened (script, event, animation, object). Remove it, or make it a PNG.",
        place=f"{place} {shown(what)}".strip(),
    )
    return mended_by(found, RASTERISE)


def elsewhere(what: str, *, place: str = "") -> Finding:
    """Return the finding about something that would be fetched from another address."""
    found = block(
        "figure.external",
        "바깥 주소에서 내용을 불러옵니다. 파일 안에 든 것만 반출할 수 있습니다.",
        "It fetches content from another address. Only what is in the file may leave.",
        place=f"{place} {shown(what)}".strip(),
    )
    return mended_by(found, RASTERISE)


def unseen(*, place: str = "") -> Finding:
    """Return the finding about something that is there and not shown."""
    found = warn(
        "figure.hidden",
        "보이지 않게 해 둔 내용이 있습니다. 글자는 점검했지만, 숨긴 까닭을 확인하세요.",
        "Something in it is hidden from sight. Its text was checked; ask why it is hidden.",
        place=place,
    )
    return mended_by(found, RASTERISE)


def undrawn(*, place: str = "") -> Finding:
    """Return the finding about a figure that nobody can look at."""
    return block(
        "figure.undrawn",
        "그림으로 그려 볼 수 없어 아무도 확인할 수 없습니다. PNG로 저장해 제출하세요.",
        "It cannot be drawn, so nobody can look at it. Save it as PNG.",
        place=place,
    )


def shown(what: str) -> str:
    """Return a short, printable form of a name that stands in the file."""
    return "".join(letter if letter.isprintable() else "?" for letter in what[:SHOWN])
