"""The key store of snapshots as this installation has it: read by whoever makes views and recomputes, never mounted."""

from __future__ import annotations

from deid.errors import KeyFileError
from deid.versions.keystore import KeyStore, open_store
from enclave.errors import Unavailable
from enclave.settings import Settings


def store_of(settings: Settings) -> KeyStore | None:
    """Return the key store; None where there is none yet, which is enough for snapshots that are not encrypted.

    Raises `Unavailable` (`keys.unreadable`) when it is there and cannot be read by this service.
    """
    if not settings.snapshot_seal.exists():
        return None
    try:
        return open_store(settings.snapshot_keys, settings.snapshot_seal)
    except KeyFileError as error:
        raise unreadable(error) from error


def unreadable(error: KeyFileError) -> Unavailable:
    """Say that the keys of a snapshot are missing, damaged or closed to this service."""
    return Unavailable(
        "keys.unreadable", ko=error.ko, en=error.en, remedy_ko=error.remedy_ko, remedy_en=error.remedy_en
    )
