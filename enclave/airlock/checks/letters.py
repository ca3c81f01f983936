"""R58: identifiers among the letters that can be read in a picture."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from enclave.airlock.checks.findings import warn
from enclave.airlock.checks.identifiers import check_identifiers
from enclave.airlock.document import Document
from enclave.airlock.figures import letters
from enclave.airlock.report import Finding, Severity
from enclave.airlock.rules import CheckRules

WHERE = "글자/letters"


def check_letters(picture: Image.Image, rules: CheckRules) -> list[Finding]:
    """Read a picture and look for identifiers; only what would stop a text is told, for letters are often misread."""
    if not letters.is_available():
        return [
            warn(
                "image.unread",
                "이 기계에 글자 인식 자료가 없어 그림 속 글자를 읽지 못했습니다. 눈으로 읽어 보세요.",
                "The letters in the picture could not be read: no recogniser on this machine. Read them yourself.",
            )
        ]
    found = check_identifiers(Document("text", text=letters.read(picture)), rules)
    return [replace(one, place=f"{WHERE} {one.place}") for one in found if one.severity is Severity.BLOCK]
