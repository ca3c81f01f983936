"""Certificates as files: `certificates/<id>.json` and `<id>.html`, written from the database, again if they go."""

from __future__ import annotations

from pathlib import Path

from enclave import whole
from enclave.certificate import CertificateFile
from enclave.certificate_page import page
from enclave.portal.parts import Portal
from enclave.queries import certificates


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
