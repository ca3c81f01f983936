"""The log's signing key in a file: 0600, the note format of Go's sumdb (`PRIVATE+KEY+name+hash+base64`)."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import NoteError, Text
from audit.note import Signer

DEFAULT_NAME = "ansim.localhost/log"
_PREFIX = "PRIVATE+KEY+"


def create(path: Path, *, name: str = DEFAULT_NAME) -> Signer:
    """Make a new Ed25519 key at `path` (0600) and its public line beside it as `*.pub`; return the signer.

    `name` becomes the log's origin. Raises `FileExistsError` rather than replace a key.
    """
    signer = Signer(name, Ed25519PrivateKey.generate())
    _write(path, _line(signer), mode=0o600)
    _write(path.with_suffix(".pub"), f"{signer.vkey}\n", mode=0o644)
    return signer


def load(path: Path) -> Signer:
    """Read a key made by `create`.

    Raise `NoteError`: `audit.key-unreadable`, or `audit.bad-key-file` when it is malformed or readable by others.
    """
    try:
        line, mode = path.read_text(), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise NoteError("audit.key-unreadable", _unreadable(path, error)) from error
    if mode & 0o077:
        raise NoteError(
            "audit.bad-key-file",
            Text(
                f"서명 키 파일 {path.name}을(를) 다른 사용자가 읽을 수 있습니다.",
                f"The signing key {path.name} is open to other users.",
                f"chmod 600 {path} 를 실행하고, 새 키로 바꿀지 검토하세요.",
                f"Run chmod 600 {path} and consider a new key.",
            ),
        )
    signer = _parse(line)
    if signer is None or _line(signer) != line:
        raise NoteError(
            "audit.bad-key-file",
            Text(
                f"서명 키 파일 {path.name}의 형식이 틀립니다.",
                f"The signing key {path.name} is malformed.",
                "백업에서 키 파일을 되살리세요.",
                "Restore the key file from its backup.",
            ),
        )
    return signer


def _unreadable(path: Path, error: Exception) -> Text:
    return Text(
        f"서명 키 파일 {path.name}을(를) 읽을 수 없습니다({type(error).__name__}). 아무것도 서명하지 않습니다.",
        f"The signing key {path.name} cannot be read ({type(error).__name__}). Nothing is signed.",
        "파일의 소유자와 권한을 확인하고, 없어졌으면 백업에서 되살리세요. 기록은 그동안에도 쌓입니다.",
        "Look at its owner and mode; restore it from its backup if it is gone. Entries are kept meanwhile.",
    )


def _parse(line: str) -> Signer | None:
    try:
        name, _, blob = line.removeprefix(_PREFIX).split("+", 2)
        return Signer(name, Ed25519PrivateKey.from_private_bytes(base64.b64decode(blob)[1:]))
    except ValueError:
        return None


def _line(signer: Signer) -> str:
    blob = base64.b64encode(b"\x01" + signer.private.private_bytes_raw()).decode()
    return f"{_PREFIX}{signer.name}+{signer.vkey.key_id.hex()}+{blob}\n"


def _write(path: Path, text: str, *, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        # The umask may have taken bits away from the public half.
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
