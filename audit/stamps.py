"""Time stamps (RFC 3161) over checkpoints: somebody outside says that these three lines existed at this moment.

Our own clock is no evidence; the stamp of a time-stamping authority is. The token covers the checkpoint's text, so
that cosignatures can still be added, and so that `openssl ts -verify -data TEXT -in TOKEN` checks it by hand.
`rfc3161-client` where it is installed; where it is not, or refuses a token for the order of its parts (it reads
strict DER, some authorities do not write it), `openssl ts` stands in. No network, no clock.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from audit.errors import StampError, Text

try:
    import rfc3161_client as _library
except ImportError:  # the one-file verifier on a machine that has `cryptography` alone
    _HAS_LIBRARY = False
else:
    _HAS_LIBRARY = True

# The certificates of time-stamping authorities to trust.
Stamping = tuple[x509.Certificate, ...]
_OPENSSL_TIME = re.compile(r"^Time stamp: (.+?)(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE)
_OPENSSL_S = 30


class Stamp(NamedTuple):
    """A time stamp that holds: the moment it states (UTC) and which program checked it."""

    at: datetime
    checked_by: str


def stamp_query(text: bytes) -> bytes:
    """Return the request (DER `TimeStampReq`, SHA-256, certificate asked for, no nonce) for a checkpoint's text.

    Without a nonce the same text gives the same bytes, so a request that is carried by hand can be made again; an
    answer is known by the hash that it covers.
    """
    builder = _library.TimestampRequestBuilder().data(text).hash_algorithm(_library.HashAlgorithm.SHA256)
    return builder.nonce(nonce=False).cert_request(cert_request=True).build().as_bytes()


def certificates(pem: bytes) -> Stamping:
    """Read the certificates to trust; raise `StampError` (`audit.stamp-certificate`) when there is none."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise StampError("audit.stamp-certificate", _BAD_CERTIFICATE) from error


def stamping_from(path: str | None) -> Stamping | None:
    """Read the certificates in a PEM file; None without one; raise `StampError` (`audit.stamp-certificate`)."""
    if not path:
        return None
    try:
        return certificates(Path(path).read_bytes())
    except OSError as error:
        raise StampError("audit.stamp-certificate", _BAD_CERTIFICATE) from error


def check_stamp(token: bytes, text: bytes, trusted: Stamping) -> Stamp:
    """Return the stamp in `token` (DER `TimeStampResp`) over a checkpoint's text.

    Each of the `trusted` certificates is trusted for itself and what it issued, at the moment that the stamp states.
    Raises `StampError`: `audit.bad-stamp` (of another text, not granted, signed by nobody trusted),
    `audit.stamp-unreadable`, `audit.no-stamp-tool`.
    """
    if not _HAS_LIBRARY:
        return _by_openssl(token, text, trusted)
    try:
        response = _library.decode_timestamp_response(token)
        at = response.tst_info.gen_time
    except ValueError:
        return _by_openssl(token, text, trusted)
    verifier = _library.VerifierBuilder(roots=list(trusted)).build()
    try:
        verifier.verify_message(response, text)
    except _library.VerificationError as error:
        raise StampError("audit.bad-stamp", _BAD_STAMP) from error
    return Stamp(at.astimezone(UTC), "rfc3161-client")


def _by_openssl(token: bytes, text: bytes, trusted: Stamping) -> Stamp:
    openssl = shutil.which("openssl")
    if openssl is None:
        raise StampError("audit.no-stamp-tool", _NO_TOOL)
    with tempfile.TemporaryDirectory(prefix="ansim-stamp-") as name:
        folder = Path(name)
        (folder / "token").write_bytes(token)
        (folder / "text").write_bytes(text)
        (folder / "trusted").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in trusted))
        shown = _run(openssl, "ts", "-reply", "-in", folder / "token", "-text")
        stated = _OPENSSL_TIME.search(shown.stdout)
        if shown.returncode or stated is None:
            raise StampError("audit.stamp-unreadable", _UNREADABLE)
        at = datetime.strptime(f"{stated[1]} {stated[2]}", "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        # At the stamp's own moment: a certificate that has run out since does not undo it.
        moment = ["-attime", str(int(at.timestamp())), "-partial_chain"]
        files: list[str | Path] = ["-in", folder / "token", "-data", folder / "text", "-CAfile", folder / "trusted"]
        done = _run(openssl, "ts", "-verify", *files, *moment)
    if done.returncode:
        raise StampError("audit.bad-stamp", _BAD_STAMP)
    return Stamp(at, "openssl ts")


def _run(openssl: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [openssl, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_OPENSSL_S)


_ASK_KO = "시점확인기관에 다시 요청하고, 그 기관의 인증서(PEM)를 확인하세요."
_ASK_EN = "Ask the authority again, and check its certificate (PEM)."
_BAD_STAMP = Text(
    "시점확인 토큰이 이 확인점의 것이 아니거나 믿는 기관이 서명하지 않았습니다.",
    "The time stamp is not of this checkpoint, or no trusted authority signed it.",
    _ASK_KO,
    _ASK_EN,
)
_UNREADABLE = Text("시점확인 토큰을 읽을 수 없습니다.", "The time stamp cannot be read.", _ASK_KO, _ASK_EN)
_BAD_CERTIFICATE = Text(
    "시점확인기관의 인증서를 읽을 수 없습니다.",
    "The authority's certificate cannot be read.",
    "그 기관이 게시한 PEM 파일을 그대로 쓰세요.",
    "Use the PEM file as the authority publishes it.",
)
_NO_TOOL = Text(
    "시점확인 토큰을 확인할 프로그램이 없습니다.",
    "There is no program to check the time stamp with.",
    "openssl 또는 Python 패키지 rfc3161-client를 설치하세요.",
    "Install openssl or the Python package rfc3161-client.",
)
