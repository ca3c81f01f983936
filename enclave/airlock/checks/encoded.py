"""R63: no data folded into letters: long base64 or hex runs, text as dense as a compressed file, hidden marks."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from enclave.airlock.checks.findings import block, line_place, mask, warn
from enclave.airlock.document import Document
from enclave.airlock.report import Finding

RUN_CHARS = 2048
PIECE_BYTES = 1 << 20
# Prose and tables compress to about a half (English, Korean, columns of decimals), base64 to 76 %, base85 to 82 %.
# A limit on bits per byte would never be met: no valid UTF-8 text reaches 7.5.
DENSE_BYTES, DENSE_SHARE = 4096, 0.7
# The lines of one wrapped run may stand alone on their lines, or in cells or quotes.
SHORTEST_RUN = 40
RUN_BYTES = np.isin(np.arange(256), list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_=-"))
BASE64_RUN = re.compile(r"[A-Za-z0-9+/_=-]{40,}")
HEX_RUN = re.compile(r"(?:[0-9a-fA-F]{2}){20,}")
# Cut into short pieces (for the cells of a table) a code still mixes digits with both cases in every piece.
PIECE = re.compile(
    r"(?=[A-Za-z+/=_-]*\d)(?=[a-z\d+/=_-]*[A-Z])(?=[A-Z\d+/=_-]*[a-z])[A-Za-z0-9+/_=-]{16,39}(?![A-Za-z0-9])"
)
# Digits only, or signs that no result is written in (pictographs, private use, unassigned): one byte or more in each.
DIGIT_RUN = re.compile(r"\d{40,}")
SIGN_RUN = re.compile("[\ue000-\uf8ff\U00010000-\U0010ffff]{32,}")
FEW_CHARS, SIGN_CHARS = 512, 64
# Nobody measures to twelve places; a hundred such numbers can carry a message behind the digits that matter.
LONG_NUMBER, MANY_NUMBERS = re.compile(r"(?<![\d.])-?\d{0,6}\.\d{11,}"), 20
MIXED = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])")
# Zero width characters, directional marks, tags, variation selectors: none belongs into a table of results.
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufe00-\ufe0f\U000e0000-\U000e01ef]")
# A compressed file in base64 says so at once: gzip, zip, bzip2, xz, zstd.
PACKED_RUN = re.compile(r"(?:H4sI|UEsD|Qlpo|/Td6|KLUv)[A-Za-z0-9+/_-]{100,}")
PACKED_CHARS = 104
FORMS = (
    (PACKED_RUN, "base64", PACKED_CHARS),
    (HEX_RUN, "hex", RUN_CHARS),
    (BASE64_RUN, "base64", RUN_CHARS),
    (PIECE, "base64", RUN_CHARS),
    (DIGIT_RUN, "decimal", FEW_CHARS),
    (SIGN_RUN, "pictograph", SIGN_CHARS),
)
PLAIN = frozenset({DIGIT_RUN, SIGN_RUN})
MANY_TRAILING = 64
TRAILING = re.compile(r"(?<![ \t])[ \t]+(?=\r?\n)")


def check_encoded(document: Document) -> list[Finding]:
    """Look for encoded or hidden payloads in the text of a document."""
    text = document.text
    # A figure's own numbers are counted and tabled by its parser, however many places it writes.
    precise = _precise(text) if document.kind in {"table", "text"} else ()
    return [*_runs(text), *_dense(text), *_invisible(text), *_trailing(text), *precise]


def check_written(content: bytes) -> list[Finding]:
    """Look through a long text (UTF-8) piece by piece; of each rule the first finding counts."""
    found: dict[str, Finding] = {}
    start = line = 0
    while start < len(content):
        end = content.rfind(b"\n", start + 1, start + PIECE_BYTES) + 1 or start + PIECE_BYTES
        piece = content[start:end]
        for finding in _in_piece(piece):
            found.setdefault(finding.rule, replace(finding, place=_moved(finding.place, line)))
        line += piece.count(b"\n")
        start = end
    return list(found.values())


def _in_piece(piece: bytes) -> Iterator[Finding]:
    # Each search only where something that costs less says that it could find anything.
    text = piece.decode("utf-8", "replace")
    if _longest_run(piece) >= SHORTEST_RUN:
        yield from _runs(text)
    if len(zlib.compress(piece, 1)) > DENSE_SHARE * len(piece):
        yield from _dense(text)
    if not piece.isascii():
        yield from _invisible(text)
    if any(blank in piece for blank in (b" \n", b"\t\n", b" \r", b"\t\r")):
        yield from _trailing(text)


def _longest_run(piece: bytes) -> int:
    others = np.flatnonzero(~RUN_BYTES[np.frombuffer(piece, dtype=np.uint8)])
    return int(np.diff(others, prepend=-1, append=len(piece)).max()) - 1


def _moved(place: str, lines: int) -> str:
    return line_place(int(place[1:]) - 1 + lines) if place else place


def _runs(text: str) -> Iterator[Finding]:
    for pattern, name, least in FORMS:
        found = [match for match in pattern.finditer(text) if pattern in PLAIN or MIXED.match(match.group())]
        total = sum(len(match.group()) for match in found)
        if total >= least:
            yield block(
                "encoded.run",
                f"{name}(으)로 부호화된 것으로 보이는 글자열이 모두 {total:,}자 있습니다. 빼고 다시 제출하세요.",
                f"{total:,} characters look like {name}-encoded data. Remove them and submit again.",
                place=line_place(text.count("\n", 0, found[0].start())),
                sample=mask(found[0].group()),
            )
            return


def _dense(text: str) -> Iterator[Finding]:
    raw = text.encode()
    if len(raw) < DENSE_BYTES:
        return
    share = len(zlib.compress(raw)) / len(raw)
    if share > DENSE_SHARE:
        yield block(
            "encoded.dense",
            f"내용이 압축·암호화된 자료처럼 조밀합니다(압축률 {share:.0%}). 글과 표만 제출하세요.",
            f"The content is as dense as compressed or encrypted data (compresses to {share:.0%}). Submit plain text.",
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
    ends = [found.group() for found in TRAILING.finditer(text)]
    # One blank behind every line is an editor's habit; blanks that vary can spell something.
    if len(ends) >= MANY_TRAILING and len(set(ends)) > 1:
        yield warn(
            "encoded.trailing",
            f"{len(ends)}개 줄 끝에 서로 다른 빈칸이 있습니다. 숨은 내용인지 확인하거나 지우세요.",
            f"{len(ends)} lines end in varying blanks: hidden content? Remove them.",
        )


def _precise(text: str) -> Iterator[Finding]:
    found = list(LONG_NUMBER.finditer(text))
    if len(found) >= MANY_NUMBERS:
        yield warn(
            "encoded.precision",
            f"소수점 아래 11자리가 넘는 수가 {len(found)}개 있습니다. 뜻있는 자리까지 반올림하세요.",
            f"{len(found)} numbers have more than ten decimals. Round them to what was measured.",
            place=line_place(text.count("\n", 0, found[0].start())),
        )
