"""Signed notes, key lines and checkpoints (C2SP signed-note, tlog-checkpoint at v1.0.0), Ed25519 only.

A checkpoint is three lines a person can read and print: the log's name, its size, its root. Everything that is
not in its one canonical form is refused. Standard library and `cryptography` only.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import NoteError, Text
from audit.merkle import HASH_BYTES

_ED25519 = b"\x01"
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_MAX_NOTE_CHARS = 100_000
KEY_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_CHECKPOINT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([^\n]+)\n")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and a public key. `str()` is its line: `name+hash+base64`, the form that is published and printed."""

    name: str
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(_ED25519 + self.public)}"

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name, newline, type, key): which key signed, not proof that it did."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    @classmethod
    def parse(cls, line: str) -> VerifierKey:
        """Read a key line; raise `NoteError` (`audit.bad-key`) unless it is exactly what `str()` would give."""
        name, _, rest = line.partition("+")
        blob = from_base64(rest.partition("+")[2])
        key = cls(name, (blob or b"")[1:])
        if not KEY_NAME.fullmatch(name) or len(key.public) != _KEY_BYTES or str(key) != line:
            raise NoteError("audit.bad-key", BAD_KEY)
        return key


@dataclass(frozen=True, slots=True)
class Signer:
    """A named private key that signs notes."""

    name: str
    private: Ed25519PrivateKey

    @property
    def vkey(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the note: the text, an empty line, one signature line. The text must end with a newline."""
        signature = self.private.sign(text.encode())
        return f"{text}\n— {self.name} {to_base64(self.vkey.key_id + signature)}\n"


class Signature(NamedTuple):
    """One signature line of a note: the signer's name, the 4 bytes of its key id, the signature, the line itself."""

    name: str
    key_id: bytes
    blob: bytes
    line: str


def split_note(note: str) -> tuple[str, list[Signature]]:
    """Return a note's text and its signature lines, none of them checked; raise `NoteError` (`audit.bad-note`)."""
    text, separator, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if not separator or lines.pop() or not lines or len(note) > _MAX_NOTE_CHARS:
        raise NoteError("audit.bad-note", _BAD_NOTE)
    if any(char < " " and char != "\n" for char in note):
        raise NoteError("audit.bad-note", _BAD_NOTE)
    return text + "\n", [_signature(line) for line in lines]


def open_note(note: str, vkey: VerifierKey) -> str:
    """Return the text of a note signed by `vkey`; raise `NoteError` when malformed or not so signed."""
    text, signatures = split_note(note)
    ours = [each for each in signatures if (each.name, each.key_id) == (vkey.name, vkey.key_id)]
    if not ours:
        raise NoteError("audit.untrusted-key", UNTRUSTED)
    for each in ours:
        verify_ed25519(vkey.public, each.blob, text.encode())
    return text


def signature_of(note: bytes, vkey: VerifierKey) -> str:
    """Return the first signature line that names `vkey` in a note that was opened with it; '' when there is none."""
    for each in split_note(decode_note(note))[1]:
        if (each.name, each.key_id) == (vkey.name, vkey.key_id):
            return each.line
    return ""


def _signature(line: str) -> Signature:
    match = _SIGNATURE_LINE.fullmatch(line)
    blob = from_base64(match[2]) if match else None
    if match is None or blob is None or len(blob) <= _KEY_ID_BYTES:
        raise NoteError("audit.bad-note", _BAD_NOTE)
    return Signature(match[1], blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:], line)


def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    """Raise `NoteError` (`audit.bad-signature`) unless the 64-byte signature is the key's over the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise NoteError("audit.bad-signature", BAD_SIGNATURE) from error


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The signed statement: the log `origin` has `size` entries and the 32-byte Merkle `root`."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text; raise `NoteError` (`audit.bad-checkpoint`) unless it is canonical."""
        match = _CHECKPOINT.fullmatch(text)
        root = from_base64(match[3]) if match else None
        if match is None or root is None or len(root) != HASH_BYTES:
            raise NoteError("audit.bad-checkpoint", BAD_CHECKPOINT)
        return cls(match[1], int(match[2]), root)


def open_checkpoint(note: bytes, vkey: VerifierKey) -> Checkpoint:
    """Return the checkpoint in a note signed by `vkey` and named after it; raise `NoteError` otherwise."""
    checkpoint = Checkpoint.parse(open_note(decode_note(note), vkey))
    # C2SP tlog-checkpoint: the key's name is the log's origin.
    if checkpoint.origin != vkey.name:
        raise NoteError("audit.bad-origin", BAD_ORIGIN)
    return checkpoint


def decode_note(note: bytes) -> str:
    """Return a note's text form; raise `NoteError` (`audit.bad-note`) when it is not UTF-8."""
    try:
        return note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("audit.bad-note", _BAD_NOTE) from error


def to_base64(data: bytes) -> str:
    """Write bytes in standard base 64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes | None:
    """Decode strictly; None for anything whose bytes would not be written this way again."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64(data) == text else None


_COPY_KO = "원본에서 다시 복사하고, 같은 결과면 감사 담당자에게 알리세요."
_COPY_EN = "Copy it again from the original; if it stays so, tell the auditor."
BAD_KEY = Text(
    "검증 키 줄의 형식이 틀립니다.",
    "The key line is malformed.",
    "게시된 '이름+해시+base64' 한 줄을 그대로 쓰세요.",
    "Use the published line `name+hash+base64` as it is.",
)
_BAD_NOTE = Text("서명된 확인점의 형식이 틀립니다.", "The signed note is malformed.", _COPY_KO, _COPY_EN)
BAD_CHECKPOINT = Text("확인점 본문의 형식이 틀립니다.", "The checkpoint is not in canonical form.", _COPY_KO, _COPY_EN)
BAD_SIGNATURE = Text(
    "확인점의 서명이 내용과 맞지 않습니다.", "The signature does not match the checkpoint.", _COPY_KO, _COPY_EN
)
BAD_ORIGIN = Text(
    "확인점의 로그 이름이 키 이름과 다릅니다.",
    "The checkpoint is of another log than the key.",
    "이 로그의 키를 쓰고 있는지 확인하세요.",
    "Check that this is the key of this log.",
)
UNTRUSTED = Text(
    "믿는 키의 서명이 확인점에 없습니다.",
    "The checkpoint has no signature of the trusted key.",
    "게시된 검증 키와 같은지 확인하세요.",
    "Compare the key with the published one.",
)
