"""R58: identifiers among the letters that can be read in a picture."""

from __future__ import annotations

from PIL import Image

from enclave.airlock.checks.findings import line_place, warn
from enclave.airlock.checks.identifiers import check_loose_text
from enclave.airlock.figures import letters
from enclave.airlock.report import Finding, Severity

WHERE = "글자/letters"


def check_letters(picture: Image.Image) -> list[Finding]:
    """Read a picture and look for identifiers; only what would stop a text is told, for letters are often misread."""
    if not letters.is_available():
        return [
            warn(
                "image.unread",
                "이 기계에 글자 인식 자료가 없어 그림 속 글자를 읽지 못했습니다. 눈으로 읽어 보세요.",
                "The letters in the picture could not be read: no recogniser on this machine. Read them yourself.",
            )
        ]
    # Line by line: numbers along an axis stand in lines of their own, and together would look like anything.
    lines = ((f"{WHERE} {line_place(at)}", line) for at, line in enumerate(letters.read(picture).splitlines()))
    return [one for one in check_loose_text(lines) if one.severity is Severity.BLOCK]
