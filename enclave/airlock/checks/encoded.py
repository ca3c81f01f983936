"""R63: no data folded into letters: long base64 or hex runs, text as dense as a compressed file, hidden marks."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from enclave.airlock.checks.findings import block, line_place, mask, warn
from enclave.airlock.document import Document
from enclave.airlock.report import Finding

RUN_CHARS, ENTROPY_BYTES, MAX_ENTROPY = 2048, 2048, 7.5
# The lines of one wrapped run may stand alone on their lines, or in cells or quotes.
BASE64_RUN = re.compile(r"[A-Za-z0-9+/_=-]{40,}")
HEX_RUN = re.compile(r"(?:[0-9a-fA-F]{2}){20,}")
MIXED = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])")
# Zero width characters, directional marks, tags, variation selectors: none belongs into a table of results.
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufe00-\ufe0f\U000e0000-\U000e01ef]")
MANY_TRAILING = 64


def check_encoded(document: Document) -> list[Finding]:
    """Look for encoded or hidden payloads in the text of a document."""
    return [*_runs(document.text), *_entropy(document.text), *_invisible(document.text), *_trailing(document.text)]


def _runs(text: str) -> Iterator[Finding]:
    for pattern, name in ((HEX_RUN, "hex"), (BASE64_RUN, "base64")):
        found = [match for match in pattern.finditer(text) if MIXED.match(match.group())]
        total = sum(len(match.group()) for match in found)
        if total >= RUN_CHARS:
            yield block(
                "encoded.run",
                f"{name}(으)로 부호화된 것으로 보이는 글자열이 모두 {total:,}자 있습니다. 빼고 다시 제출하세요.",
                f"{total:,} characters look like {name}-encoded data. Remove them and submit again.",
                place=line_place(text.count("\n", 0, found[0].start())),
                sample=mask(found[0].group()),
            )
            return


def _entropy(text: str) -> Iterator[Finding]:
    raw = text.encode()
    if len(raw) < ENTROPY_BYTES:
        return
    bits = -sum(count / len(raw) * math.log2(count / len(raw)) for count in Counter(raw).values())
    if bits > MAX_ENTROPY:
        yield block(
            "encoded.entropy",
            f"내용이 압축·암호화된 자료처럼 조밀합니다(바이트당 {bits:.1f}비트). 글과 표만 제출하세요.",
            f"The content is as dense as compressed or encrypted data ({bits:.1f} bits per byte). Submit plain text.",
        )


def _invisible(text: str) -> Iterator[Finding]:
    found = list(INVISIBLE.finditer(text))
    if found:
        finding = block if len(found) > MANY_TRAILING else warn
        yield finding(
            "encoded.invisible",
            f"보이지 않는 글자가 {len(found)}개 있습니다. 지우고 다시 제출하세요.",
            f"{len(found)} invisible characters. Remove them and submit again.",
            place=line_place(text.count("\n", 0, found[0].start())),
        )


def _trailing(text: str) -> Iterator[Finding]:
    lines = [line for line in text.split("\n") if line.rstrip("\r") != line.rstrip("\r").rstrip(" \t")]
    if len(lines) >= MANY_TRAILING:
        yield warn(
            "encoded.trailing",
            f"{len(lines)}개 줄 끝에 빈칸이 있습니다. 숨은 내용인지 확인하거나 지우세요.",
            f"{len(lines)} lines end in blanks: hidden content? Remove them.",
        )
