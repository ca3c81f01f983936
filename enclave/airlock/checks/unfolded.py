"""R57: identifiers in another spelling: hexadecimal, base64, escapes, letters apart, turned around, Chinese digits.

Each short run that may spell something is spelled out and searched for identifiers that are certain by their form.
Whoever wants to hide a value finds another way (a book code, words, a key of their own): this is for the ways that one
line of any language knows.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from deid.detect.scan import scan

# By form alone: names and dates would be found in any heap of letters.
CERTAIN = frozenset({"RRN", "FRN", "PHONE", "EMAIL", "CARD"})
SURE = 0.6
CJK = str.maketrans("〇零一二三四五六七八九", "00123456789")
CIRCLED = str.maketrans("⓪①②③④⑤⑥⑦⑧⑨", "0123456789")
Spell = Callable[[str], str]


def _hexadecimal(run: str) -> str:
    return bytes.fromhex(run).decode()


def _base64(run: str) -> str:
    return base64.b64decode(run.replace("-", "+").replace("_", "/") + "=" * (-len(run) % 4), validate=True).decode()


def _base32(run: str) -> str:
    return base64.b32decode(run + "=" * (-len(run) % 8)).decode()


def _joined(run: str) -> str:
    return re.sub(r"[^\d-]", "", run)


# How a run looks -> how it is spelled out.
SPELLINGS: tuple[tuple[re.Pattern[str], Spell], ...] = (
    (re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}){9,200}(?![0-9a-fA-F])"), _hexadecimal),
    (re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{12,400}={0,2}(?![\w+/=-])"), _base64),
    (re.compile(r"(?<![A-Z2-7=])[A-Z2-7]{16,400}={0,6}(?![A-Z2-7=])"), _base32),
    (re.compile(r"(?:%[0-9a-fA-F]{2}[\w.@-]{0,3}){3,99}"), unquote),
    (re.compile(r"(?:&#x?[0-9a-fA-F]{1,6};[\w.@-]{0,3}){3,99}"), html.unescape),
    # One sign between all of them, and a dash among them: a row of single digits is a row of a table.
    (re.compile(r"(?<![\d_.·*~ -])\d(?P<s>[ _.·*~]|  )(?:\d(?P=s)){5}-(?P=s)(?:\d(?P=s)){6}\d(?![\d_.·*~-])"), _joined),
    (re.compile(r"(?<![\d-])\d{7}-\d{6}(?![\d-])|(?<![\d-])\d{4}-\d{3,4}-\d10(?![\d-])"), lambda run: run[::-1]),
    (re.compile(r"[〇零一二三四五六七八九]{3,6}[-–— ]?[〇零一二三四五六七八九-]{7,9}"), lambda run: run.translate(CJK)),
    (re.compile(r"[⓪①②③④⑤⑥⑦⑧⑨]{3,6}[-–— ]?[⓪①②③④⑤⑥⑦⑧⑨-]{7,9}"), lambda run: run.translate(CIRCLED)),
)
# What could be certain at all; only that is searched as thoroughly as everything else.
LIKELY = re.compile(
    r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[- ]?[0-9]\d{6}|0\d{1,2}[- .]?\d{3,4}[- .]?\d{4}"
    r"|[\w.-]@[\w-]+\.\w|(?:\d{4}[- ]?){3}\d{4}"
)


def unfolded(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield where a run stands that spells an identifier, its kind, and the run."""
    for pattern, spell in SPELLINGS:
        for found in pattern.finditer(text):
            said = _said(spell, found.group())
            if said != found.group() and LIKELY.search(said):
                kinds = (one.type for one in scan(said) if one.type in CERTAIN and one.score >= SURE)
                yield from ((found.start(), kind, found.group()) for kind in kinds)


def _said(spell: Spell, run: str) -> str:
    try:
        said = spell(run)
    except (ValueError, binascii.Error):
        return ""
    return said if said.isprintable() else ""
