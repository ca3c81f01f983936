"""Which codec a character set's defined term means (PS3.3 §C.12.1.1.2), and texts read by what is declared.

The list is pydicom's (a test holds the two together) without pydicom: its import costs every worker half a second, and
only texts with escape sequences (ISO 2022) need its decoder.
"""

from __future__ import annotations

import warnings

_PLAIN = {
    "": "iso8859", "ISO_IR 6": "iso8859", "ISO 2022 IR 6": "iso8859", "ISO 2022 IR 87": "iso2022_jp",
    "ISO 2022 IR 149": "euc_kr", "ISO 2022 IR 159": "iso2022_jp_2", "ISO 2022 IR 58": "iso_ir_58",
    "ISO_IR 192": "UTF8", "GB18030": "GB18030", "ISO 2022 GBK": "GBK", "ISO 2022 58": "GB2312", "GBK": "GBK",
}  # fmt: skip
_BOTH_WAYS = {
    "13": "shift_jis", "100": "latin_1", "101": "iso8859_2", "109": "iso8859_3", "110": "iso8859_4",
    "126": "iso_ir_126", "127": "iso_ir_127", "138": "iso_ir_138", "144": "iso_ir_144", "148": "iso_ir_148",
    "166": "iso_ir_166",
}  # fmt: skip
CODECS = _PLAIN | {
    f"{way} {number}": codec for number, codec in _BOTH_WAYS.items() for way in ("ISO_IR", "ISO 2022 IR")
}
ESCAPE = b"\x1b"
DELIMITERS = {0x5C, 0x3D, 0x5E, 0x0A, 0x0D}  # \ = ^ and ends of lines end what an escape sequence began


def decoded(data: bytes, codecs: list[str]) -> str:
    """Read a text as the first of `codecs` says, or as its escape sequences do. Raises `LookupError`, `ValueError`."""
    if ESCAPE not in data:
        return data.decode(codecs[0], errors="replace")
    from pydicom.charset import decode_bytes  # noqa: PLC0415 - only for these texts

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return decode_bytes(data, codecs, DELIMITERS)
