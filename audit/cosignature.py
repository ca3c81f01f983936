"""Cosignatures of witnesses over checkpoints (C2SP tlog-cosignature): Ed25519 `cosignature/v1` and ML-DSA-44.

A witness states: at this time the largest tree I have seen of this log had this root, and it extends all that I saw
before. Standard library and `cryptography` only; ML-DSA-44 (FIPS 204) where `cryptography` was built with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from types import ModuleType

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import NoteError, Text
from audit.note import BAD_KEY, BAD_SIGNATURE, KEY_NAME, Checkpoint, from_base64, to_base64, verify_ed25519

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa as _mldsa
except ImportError:  # before cryptography 47
    _MLDSA: ModuleType | None = None
else:
    _MLDSA = _mldsa

NOTE, ED25519, MLDSA44 = 0x01, 0x04, 0x06
_PUBLIC_BYTES = {NOTE: 32, ED25519: 32, MLDSA44: 1312}
_TIME_BYTES = 8
_MAX_TIME = 2**63 - 1
_MAX_NAME_BYTES = 255
_LABEL = b"subtree/v1\n\0"


def has_mldsa() -> bool:
    """Say whether this machine's `cryptography` can make and check ML-DSA-44 signatures."""
    if _MLDSA is None:
        return False
    try:
        _MLDSA.MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    except UnsupportedAlgorithm:
        return False
    return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of any kind that signs checkpoints: `NOTE`, `ED25519` or `MLDSA44` (C2SP signature types)."""

    name: str
    kind: int
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.kind]) + self.public)}"

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name, newline, type, key)."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @classmethod
    def parse(cls, line: str) -> SigningKey:
        """Read a key line; raise `NoteError` (`audit.bad-key`) unless it is exactly what `str()` would give."""
        name, _, rest = line.partition("+")
        blob = from_base64(rest.partition("+")[2]) or b"\0"
        key = cls(name, blob[0], blob[1:])
        named = KEY_NAME.fullmatch(name) and name.isprintable()
        if not named or len(key.public) != _PUBLIC_BYTES.get(key.kind) or str(key) != line:
            raise NoteError("audit.bad-key", BAD_KEY)
        return key

    def check(self, signature: bytes, checkpoint: Checkpoint) -> int:
        """Return the time (POSIX seconds; 0 for none) stated by a signature over a checkpoint.

        Raises `NoteError`: `audit.bad-signature`, or `audit.no-mldsa` where ML-DSA-44 cannot be checked.
        """
        if self.kind == NOTE:
            verify_ed25519(self.public, signature, str(checkpoint).encode())
            return 0
        time = int.from_bytes(signature[:_TIME_BYTES], "big")
        if time > _MAX_TIME:
            raise NoteError("audit.bad-signature", BAD_SIGNATURE)
        if self.kind == ED25519:
            verify_ed25519(self.public, signature[_TIME_BYTES:], _ed25519_message(checkpoint, time))
        else:
            _verify_mldsa(self.public, signature[_TIME_BYTES:], _mldsa_message(self.name, checkpoint, time))
        return time


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A named private key of 32 bytes (an Ed25519 key, or the seed of an ML-DSA-44 key) that cosigns checkpoints."""

    name: str
    kind: int
    secret: bytes

    @property
    def vkey(self) -> SigningKey:
        """The public half."""
        if self.kind == ED25519:
            public = Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw()
        else:
            public = _module().MLDSA44PrivateKey.from_seed_bytes(self.secret).public_key().public_bytes_raw()
        return SigningKey(self.name, self.kind, public)

    def cosign(self, checkpoint: Checkpoint, *, time: int) -> str:
        """Return the signature line (without newline) over a checkpoint, stating `time` in POSIX seconds.

        With ML-DSA-44 a time of 0 makes no statement that no larger tree was seen.
        """
        if self.kind == ED25519:
            private = Ed25519PrivateKey.from_private_bytes(self.secret)
            signature = private.sign(_ed25519_message(checkpoint, time))
        else:
            signature = (
                _module()
                .MLDSA44PrivateKey.from_seed_bytes(self.secret)
                .sign(_mldsa_message(self.name, checkpoint, time))
            )
        return f"— {self.name} {to_base64(self.vkey.key_id + time.to_bytes(_TIME_BYTES, 'big') + signature)}"


def _ed25519_message(checkpoint: Checkpoint, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{checkpoint}".encode()


def _mldsa_message(name: str, checkpoint: Checkpoint, time: int) -> bytes:
    origin, numbers = checkpoint.origin.encode(), (0, checkpoint.size)
    if max(len(name.encode()), len(origin)) > _MAX_NAME_BYTES:
        raise NoteError("audit.bad-key", BAD_KEY)
    return b"".join(
        [
            _LABEL,
            _vector(name.encode()),
            time.to_bytes(_TIME_BYTES, "big"),
            _vector(origin),
            *(number.to_bytes(8, "big") for number in numbers),
            checkpoint.root,
        ]
    )


def _vector(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _verify_mldsa(public: bytes, signature: bytes, message: bytes) -> None:
    try:
        _module().MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise NoteError("audit.bad-signature", BAD_SIGNATURE) from error


def _module() -> ModuleType:
    if _MLDSA is None or not has_mldsa():
        raise NoteError("audit.no-mldsa", _NO_MLDSA)
    return _MLDSA


_NO_MLDSA = Text(
    "이 컴퓨터의 cryptography 패키지에는 ML-DSA-44가 없습니다.",
    "The package `cryptography` of this machine has no ML-DSA-44.",
    "cryptography 48 이상을 설치하거나 Ed25519 서명만 쓰세요.",
    "Install cryptography 48 or newer, or use the Ed25519 signatures alone.",
)
