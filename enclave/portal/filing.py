"""Certificates as files: `certificates/<id>.json` and `<id>.html`, written from the database, again if they go.

Issuing and countersigning, for pages and REST alike, end with the file.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from enclave import keys, whole
from enclave.actor import Actor
from enclave.certificate import CertificateFile
from enclave.certificate_page import page
from enclave.commands import destruction, visit
from enclave.portal.parts import Portal
from enclave.queries import certificates
from enclave.queries.certificates import CertificateView


def issue(portal: Portal, actor: Actor, *, visit_id: str, now: datetime) -> CertificateView:
    """Issue the certificate of one's own visit, and file it. Raises what the command raises."""
    key, enclave = keys.load_signing_key(portal.settings.certificate_key), portal.settings.log_origin
    made = visit.issue_certificate(portal.store, key, actor, visit_id=visit_id, enclave=enclave, now=now)
    file_all(portal)
    return made


def witness(portal: Portal, actor: Actor, *, certificate_id: str, now: datetime) -> CertificateView:
    """Countersign a certificate of destruction, and file it. Raises what the command raises."""
    key = keys.load_signing_key(portal.settings.certificate_key)
    made = destruction.witness(portal.store, key, actor, certificate_id=certificate_id, now=now)
    file_all(portal)
    return made


def file_all(portal: Portal) -> list[str]:
    """Write what is missing or has a new witness; returns the ids."""
    folder = portal.settings.certificates
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [name for name, found in certificates.every(portal.store) if _file(folder, name, found)]


def _file(folder: Path, name: str, found: CertificateFile) -> bool:
    wrote = [_write(folder / f"{name}.html", page(found).encode()), _write(folder / f"{name}.json", found.to_json())]
    return any(wrote)


def _write(path: Path, data: bytes) -> bool:
    if path.exists() and path.read_bytes() == data:
        return False
    whole.write(path, data)
    return True
