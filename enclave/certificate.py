"""Certificates: a canonical document, our signature over it, and what witnesses said of it. Pure; verified offline.

The file is JSON: `{"document": text, "signature": base64, "witnesses": [{"document": text, "signature": base64}]}`.
Signed are a context line and the very bytes of the text, so that nothing has to be written again to be checked. A
witness's document names the SHA-256 of the certificate's.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from enclave.errors import Invalid

FORMAT = "ansim-certificate-v1"
WITNESS_FORMAT = "ansim-certificate-witness-v1"
CONTEXT = b"ansim-certificate-v1\n"
WITNESS_CONTEXT = b"ansim-certificate-witness-v1\n"


@dataclass(frozen=True)
class Signed:
    """Bytes and the signature over them."""

    document: bytes
    signature: bytes


@dataclass(frozen=True)
class CertificateFile:
    """A certificate with its witnesses, as it lies in a file."""

    certificate: Signed
    witnesses: tuple[Signed, ...] = ()

    @property
    def sha256(self) -> str:
        """The name under which the log knows this certificate: the hash of the signed bytes."""
        return hashlib.sha256(self.certificate.document).hexdigest()

    @property
    def fields(self) -> dict[str, Any]:
        """What the certificate says; only `verify` tells whether it is true."""
        return _fields(self.certificate.document)

    @property
    def witness_fields(self) -> list[dict[str, Any]]:
        """What each witness says."""
        return [_fields(each.document) for each in self.witnesses]

    def to_json(self) -> bytes:
        """Return the file's bytes."""
        values = {**_plain(self.certificate), "witnesses": [_plain(each) for each in self.witnesses]}
        return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def canonical(fields: Mapping[str, Any]) -> bytes:
    """Return the bytes that are hashed and signed: JSON, keys sorted, no spaces."""
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sign(fields: Mapping[str, Any], key: Ed25519PrivateKey) -> Signed:
    """Return the signed certificate that says this."""
    document = canonical({"format": FORMAT, **fields})
    return Signed(document, key.sign(CONTEXT + document))


def sign_witness(fields: Mapping[str, Any], certificate: bytes, key: Ed25519PrivateKey) -> Signed:
    """Return what a witness said of a certificate (its bytes), signed."""
    named = {"format": WITNESS_FORMAT, "certificate_sha256": hashlib.sha256(certificate).hexdigest()}
    document = canonical({**fields, **named})
    return Signed(document, key.sign(WITNESS_CONTEXT + document))


def read(data: bytes) -> CertificateFile:
    """Read a certificate's file; raises `Invalid` (`certificate.unreadable`) for anything else."""
    try:
        return _read(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid(
            "certificate.unreadable",
            ko="확인서 파일이 아닙니다.",
            en="This is no certificate.",
            remedy_ko="포털에서 받은 JSON 파일을 그대로 쓰세요.",
            remedy_en="Use the JSON file as it came from the portal.",
        ) from error


def verify(found: CertificateFile, key: Ed25519PublicKey) -> None:
    """Raise `Invalid` (`certificate.forged`) unless certificate and witnesses are signed and belong together."""
    try:
        key.verify(found.certificate.signature, CONTEXT + found.certificate.document)
        for each in found.witnesses:
            _check_witness(each, found.sha256, key)
    except InvalidSignature as error:
        raise Invalid(
            "certificate.forged",
            ko="서명이 맞지 않습니다. 이 확인서는 바뀌었거나 다른 기관의 키로 서명되었습니다.",
            en="The signature does not match: this certificate was changed, or signed with another key.",
            remedy_ko="발급한 안심구역의 공개키(certificate.pub)와 원본 파일인지 확인하세요.",
            remedy_en="Check that file and public key (certificate.pub) are those of the enclave that issued it.",
        ) from error


def _check_witness(witness: Signed, sha256: str, key: Ed25519PublicKey) -> None:
    key.verify(witness.signature, WITNESS_CONTEXT + witness.document)
    fields = _fields(witness.document)
    if (fields.get("format"), fields.get("certificate_sha256")) != (WITNESS_FORMAT, sha256):
        raise InvalidSignature


def _read(values: Mapping[str, Any]) -> CertificateFile:
    found = CertificateFile(_signed(values), tuple(_signed(each) for each in values["witnesses"]))
    if found.fields["format"] != FORMAT:
        raise ValueError("another format")
    return found


def _fields(document: bytes) -> dict[str, Any]:
    found = json.loads(document)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - `read` knows one kind of error
    return found


def _plain(signed: Signed) -> dict[str, str]:
    return {"document": signed.document.decode(), "signature": base64.b64encode(signed.signature).decode()}


def _signed(values: Mapping[str, str]) -> Signed:
    return Signed(values["document"].encode(), base64.b64decode(values["signature"], validate=True))
