"""From bytes to text: UTF-8, UTF-16 with its mark, CP949; nothing is guessed beyond these."""

from __future__ import annotations

from enclave.airlock.parsers.refused import ParseRefused

# utf-16 only with its mark; cp949 last: it accepts most Korean bytes and refuses the rest.
ENCODINGS = ("utf-8-sig", "cp949")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def decode(content: bytes) -> str:
    """Decode UTF-8 (with or without mark), UTF-16 with mark, or CP949; the result holds more than blanks.

    Raises `ParseRefused`.
    """
    encodings = ("utf-16",) if content.startswith(UTF16_MARKS) else ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return _filled(text)
    raise ParseRefused(
        "parse.encoding",
        "글자 인코딩을 알 수 없습니다. UTF-8로 저장해 다시 제출하세요.",
        "The text encoding is unknown. Save it as UTF-8 and submit again.",
    )


def _filled(text: str) -> str:
    if not text.strip():
        raise ParseRefused("parse.empty", "파일이 비어 있습니다.", "The file is empty.")
    return text
