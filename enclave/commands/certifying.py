"""What every certificate has in common as a row, whatever it certifies."""

from __future__ import annotations

from datetime import datetime

from enclave.certificate import CertificateFile, Signed
from enclave.model.ends import Certificate, CertificateKind
from enclave.model.workspace import Workspace


def certificate_row(name: str, kind: CertificateKind, found: Workspace, signed: Signed, now: datetime) -> Certificate:
    """Return the row of a certificate about this workspace."""
    return Certificate(
        id=name,
        kind=kind,
        project=found.project,
        workspace_id=found.id,
        account_id=found.account_id,
        issued_at=now,
        document=signed.document,
        signature=signed.signature,
        sha256=CertificateFile(signed).sha256,
        witnesses=[],
    )


def moment(at: datetime | None) -> str:
    """Return a moment as certificates write it: UTC, whole seconds; empty for none."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else ""
