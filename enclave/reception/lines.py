"""Encrypted lines to the receiver (TLS 1.2 or later, both sides with certificates; PS3.15 Annex B, BCP 195).

Who may send is a folder of certificates, each named for its title: `PACS1.pem`. That file is what is trusted and
nothing else is, so a hospital's own certificate will do and no authority can let anybody in.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_TITLE = 16  # PS3.5 6.2, AE
NO_TITLE = "AE title은 \\ 없는 ASCII 16자까지입니다 (at most 16 ASCII characters without \\)"


def is_title(text: str) -> bool:
    """Whether a device can be called so: another title would never be heard, and its sender refused for ever."""
    printable = text.isascii() and text.isprintable() and "\\" not in text
    return printable and 0 < len(text) <= LONGEST_TITLE and text == text.strip()


@dataclass(frozen=True)
class Certificates:
    """Our certificate and key (PEM), and the folder of those who may send."""

    ours: Path
    key: Path
    senders: Path

    def titles(self) -> dict[str, str]:
        """Give the titles that may send and the SHA-256 (hex) of each one's certificate.

        Raises `ValueError` naming the file that is no certificate or is not named for a title; OSError.
        """
        found = {}
        for path in sorted(self.senders.glob("*.pem")):
            if not is_title(path.stem):
                raise ValueError(f"{path.name}: {NO_TITLE}")
            try:
                der = ssl.PEM_cert_to_DER_cert(path.read_text("ascii").strip())
            except ValueError as error:
                raise ValueError(f"{path.name}: PEM 인증서가 아닙니다 (not a PEM certificate)") from error
            found[path.stem] = hashlib.sha256(der).hexdigest()
        return found

    def context(self) -> ssl.SSLContext:
        """Give the context for the listening side. Raises `ssl.SSLError`, OSError."""
        made = Patient(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.verify_mode = ssl.CERT_REQUIRED
        # What is listed is trusted itself, whoever signed it.
        made.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        made.load_cert_chain(self.ours, self.key)
        for path in sorted(self.senders.glob("*.pem")):
            made.load_verify_locations(path)
        return made


class Patient(ssl.SSLContext):
    """A context that shakes hands when the connection's own thread reads, and not while others wait to be taken."""

    def wrap_socket(self, sock: Any, *_: Any, **__: Any) -> ssl.SSLSocket:
        """Wrap without shaking hands, as the side that listens."""
        return super().wrap_socket(sock, server_side=True, do_handshake_on_connect=False)


def certificate_of(line: Any) -> str:
    """Give the SHA-256 (hex) of the certificate that the other side showed; "" on a line that is not encrypted."""
    shown = line.getpeercert(binary_form=True) if isinstance(line, ssl.SSLSocket) else None
    return hashlib.sha256(shown).hexdigest() if shown else ""
