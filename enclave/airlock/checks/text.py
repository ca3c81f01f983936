"""Text files: short enough to be read by a person. Tables inside them are checked as tables, elsewhere."""

from __future__ import annotations

from enclave.airlock.checks.findings import block, line_place, warn
from enclave.airlock.document import Document
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

LONG_LINE = 5_000
READABLE_SHARE = 5


def check_text(document: Document, rules: CheckRules) -> list[Finding]:
    """Stop texts that nobody can review; point at long ones."""
    lines = document.text.splitlines()
    if len(lines) > rules.max_lines:
        return [
            block(
                "text.too-long",
                f"글이 {len(lines):,}줄입니다({rules.max_lines:,}줄까지). 필요한 부분만 제출하세요.",
                f"The text has {len(lines):,} lines ({rules.max_lines:,} allowed). Submit what is needed.",
            )
        ]
    for number, line in enumerate(lines):
        if len(line) > LONG_LINE:
            return [
                block(
                    "text.long-line",
                    f"한 줄이 {len(line):,}자입니다({LONG_LINE:,}자까지). 줄을 나누어 제출하세요.",
                    f"One line has {len(line):,} characters ({LONG_LINE:,} allowed). Break it up.",
                    place=line_place(number),
                )
            ]
    if len(lines) > rules.max_lines // READABLE_SHARE:
        return [
            warn(
                "text.long",
                f"글이 {len(lines):,}줄입니다. 개인별 기록이 섞여 있는지 끝까지 읽어야 합니다.",
                f"The text has {len(lines):,} lines: it must be read to the end for records of persons.",
            )
        ]
    return []
