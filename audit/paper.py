"""A checkpoint on paper: three lines and a signature that anybody can keep, as text and as a QR code.

Whoever has the sheet notices every later rewriting of what it covers: `audit.papercheck` compares it with the log.
The QR code holds the text byte for byte, so a scanner types what the eye reads.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import segno

from audit.note import VerifierKey, open_checkpoint, signature_of

# Medium: 15 % of the symbol may be lost to folds and stamps.
_ERROR_LEVEL = "m"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is printed. `text` is the note with the log's one signature: about 200 bytes, ends with a newline."""

    text: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The log's name, its size, its root and the signature line."""
        return tuple(line for line in self.text.splitlines() if line)

    def svg(self, *, module_px: int = 3) -> str:
        """Return the QR code as an `<svg>` element, black on white with its quiet zone."""
        buffer = io.BytesIO()
        self._code().save(buffer, kind="svg", scale=module_px, border=4, xmldecl=False, dark="#000", light="#fff")
        return buffer.getvalue().decode()

    def png(self, *, module_px: int = 6) -> bytes:
        """Return the QR code as PNG, black on white with its quiet zone."""
        buffer = io.BytesIO()
        self._code().save(buffer, kind="png", scale=module_px, border=4)
        return buffer.getvalue()

    def blocks(self) -> str:
        """Return the QR code for a terminal, in half-block characters."""
        buffer = io.StringIO()
        self._code().terminal(buffer, border=2, compact=True)
        return buffer.getvalue()

    def _code(self) -> segno.QRCode:
        return segno.make(self.text, error=_ERROR_LEVEL, encoding="utf-8", micro=False)


def sheet(note: bytes, vkey: VerifierKey) -> Sheet:
    """Return the sheet of a signed checkpoint: other signatures (witnesses, a second algorithm) are left out.

    Raises `NoteError` when `vkey` did not sign it.
    """
    checkpoint = open_checkpoint(note, vkey)
    return Sheet(f"{checkpoint}\n{signature_of(note, vkey)}\n")
