"""R39: a search for malware by ClamAV's own daemon where the operator has installed one; else the report says so.

The daemon reads hostile bytes in its own process under its own user; this side sends the bytes (INSTREAM, clamd(8))
and reads one line. No signatures are shipped or fetched: what the operator keeps up to date is what counts.
"""

from __future__ import annotations

import os
import socket
import struct
from contextlib import closing
from pathlib import Path

from enclave.airlock.checks.findings import block, warn
from enclave.airlock.report import Finding

PIECE, ANSWER, WAIT_S = 1 << 16, 4096, 120.0


class Scanner:
    """A daemon's socket; None: there is none. `required`: what was not searched is stopped, not only marked."""

    def __init__(self, place: Path | None, *, required: bool = False) -> None:
        self._place, self._required = place, required

    def search(self, descriptor: int) -> list[Finding]:
        """Return what the daemon says of an open file: nothing, a BLOCK, or that it was not searched."""
        if self._place is None or not self._place.exists():
            return [self._not_searched("ClamAV가 설치되어 있지 않음", "ClamAV is not installed")]
        try:
            said = self._ask(descriptor)
        except OSError as error:
            return [self._not_searched(f"ClamAV가 답하지 않음({error})", f"ClamAV does not answer ({error})")]
        if said.endswith("OK"):
            return []
        if said.endswith("FOUND"):
            which = said.removeprefix("stream: ").removesuffix(" FOUND")[:100]
            return [
                block(
                    "import.malware",
                    f"악성코드로 판정되었습니다({which}). 이 파일은 반입할 수 없습니다.",
                    f"ClamAV takes it for malware ({which}). It may not come in.",
                )
            ]
        return [self._not_searched(f"ClamAV의 답: {said[:100]!a}", f"ClamAV said {said[:100]!a}")]

    def _ask(self, descriptor: int) -> str:
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as daemon:
            daemon.settimeout(WAIT_S)
            daemon.connect(str(self._place))
            daemon.sendall(b"zINSTREAM\0")
            offset = 0
            while piece := os.pread(descriptor, PIECE, offset):
                daemon.sendall(struct.pack(">I", len(piece)) + piece)
                offset += len(piece)
            daemon.sendall(struct.pack(">I", 0))
            return daemon.recv(ANSWER).rstrip(b"\0\n").decode("utf-8", "replace")

    def _not_searched(self, ko: str, en: str) -> Finding:
        finding = block if self._required else warn
        return finding(
            "import.not-scanned",
            f"악성코드 검사를 하지 않았습니다: {ko}(R39).",
            f"Not searched for malware: {en} (R39).",
        )
