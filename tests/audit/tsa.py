"""A time-stamping authority for tests: a real one, `openssl ts`, with a root of its own."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIG = """[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/chain.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
"""
Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


class LocalTsa:
    """The authority; `trusted` is the PEM of its root.

    `chained`: its tokens carry the chain of certificates, as `openssl ts` orders them, which is not DER's order.
    `days` is how long ago and until when its certificate is valid, `stamping` whether it may stamp at all.
    """

    def __init__(
        self, folder: Path, *, chained: bool = False, days: tuple[int, int] = (1, 30), stamping: bool = True
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        root = _certificate("test root", None, days=(400, 400))
        issuer = _certificate("test issuer", root, days=(400, 300)) if chained else root
        leaf = _certificate("test authority", issuer, days=days, stamping=stamping, ca=False)
        self.trusted = root[0].public_bytes(Encoding.PEM)
        (folder / "tsa.pem").write_bytes(leaf[0].public_bytes(Encoding.PEM))
        (folder / "tsa.key").write_bytes(leaf[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        chain = [issuer[0], root[0]] if chained else []
        (folder / "chain.pem").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain))
        (folder / "serial").write_text("01\n")
        config = _CONFIG.format(folder=folder)
        (folder / "tsa.cnf").write_text(config if chained else config.replace("certs =", "# certs ="))

    def reply(self, query: bytes) -> bytes:
        """Answer a DER request with a DER response, as the authority's server does."""
        (self.folder / "query").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "reply").read_bytes()


def _certificate(
    name: str, issuer: Pair | None, *, days: tuple[int, int], stamping: bool = False, ca: bool = True
) -> Pair:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        parent = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[0].public_key())
        builder = builder.add_extension(parent, critical=False)
    if stamping:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key
