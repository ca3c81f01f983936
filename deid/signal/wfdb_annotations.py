"""Annotation files of WFDB records (`annot(5)`, MIT format): times and codes stay, texts if they are rhythms."""

from __future__ import annotations

import re

from deid.folder.format import Refused
from deid.signal.cursor import Cursor
from deid.signal.person import Taken
from deid.signal.words import is_technical

SKIP, NUM, SUB, CHANNEL, AUX = 59, 60, 61, 62, 63
LAST_CODE = 49
RESOLUTION = re.compile(rb"## time resolution: \d{1,6}(?:\.\d{1,6})?\0*", re.ASCII)
# Rhythms, and marks of beats and noise, as PhysioNet's databases write them.
RHYTHM = re.compile(
    rb"\(?(?:AB|AFIB|AFL|ASYS|B|BI|BII|HGEA|IVR|J|N|NOD|NOISE|NSR|P|PM|PREX|SAB|SBR|SVTA|T|VER|VF|VFL|VFIB|VT|MISSB|PSE|TS|"
    rb"U|M|p|t|u|c\d?|s\d?)\0*",
    re.ASCII,
)


def renewed(data: bytes, taken: Taken) -> bytes | None:
    """Write an annotation file anew, None if it is none."""
    cursor, out = Cursor(data, "WFDB"), bytearray()
    try:
        while True:
            raw = cursor.take(2)
            word = int.from_bytes(raw, "little")
            code, value = word >> 10, word & 0x3FF
            if not word:
                return bytes(out) + raw
            if code == AUX:
                out += _text(raw, cursor.take(value + value % 2)[:value], taken)
            elif code == SKIP:
                out += raw + cursor.take(4)
            elif code <= LAST_CODE or code in {NUM, SUB, CHANNEL}:
                out += raw
            else:
                return None
    except Refused:
        return None


def _text(raw: bytes, text: bytes, taken: Taken) -> bytes:
    """Keep a text with its word in front and its padding, or leave nothing of it."""
    if RESOLUTION.fullmatch(text) or RHYTHM.fullmatch(text) or _is_technical(text):
        return raw + text + b"\0" * (len(text) % 2)
    try:
        taken.words(text.decode("utf-8"))
    except UnicodeDecodeError:
        taken.words(text.decode("cp949", errors="replace"))
    return b""


def _is_technical(text: bytes) -> bool:
    try:
        return is_technical(text.rstrip(b"\0").decode("ascii"))
    except UnicodeDecodeError:
        return False
