"""The state of the log as the database and the published folder tell it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit import lag, protection
from audit.canonical import decode
from audit.errors import AuditError
from audit.merkle import leaf_hash, root_from_inclusion
from audit.note import VerifierKey
from audit.reader import LogReader
from audit.tables import audit_leaf
from enclave import database_roles
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.model.workspace import Workspace
from enclave.policy.emergency import Running
from enclave.policy.ends import RUNS
from enclave.settings import Settings
from enclave.store import Store


def running(store: Store) -> tuple[Running, ...]:
    """Return what runs, as an emergency needs to know it."""
    query = select(Workspace.id, Account.login, Workspace.project_id, Project.lead_id).where(Workspace.state.in_(RUNS))
    with store.read() as session:
        rows = session.execute(query.join(Workspace.account).join(Workspace.project))
        return tuple(Running(*row) for row in rows)


def published(log: Path) -> int:
    """Return how many entries the published checkpoint covers; 0 where there is none that can be read."""
    try:
        return LogReader(log).size
    except (AuditError, OSError, ValueError):
        return 0


def lag_s(session: Session, log: Path) -> float:
    """Return how far the published log is behind what is committed, in seconds, by the entries' own times."""
    return lag.lag_s(session.connection(), published(log))


def oldest_waiting(session: Session, log: Path) -> datetime | None:
    """Return when the oldest entry was taken that is not published yet; None when all are."""
    return lag.oldest_waiting(session.connection(), published(log))


def unprotected(session: Session) -> tuple[str, ...]:
    """Return what is missing of the record's protection."""
    return protection.missing(session.connection())


def too_wide(session: Session, settings: Settings) -> tuple[str, ...]:
    """Return what the installation's roles at the database could do beyond their parts."""
    return database_roles.excess(session.connection(), settings)


def is_published(session: Session, log: Path, vkey: VerifierKey | None, entry_id: str) -> bool:
    """Say whether this entry is in the published tiles, proved up to the signed checkpoint (RFC 6962 §2.1.1).

    False as well when a file of the log is missing or damaged: whoever asks wants to know that it can be read.
    """
    number = session.scalar(select(audit_leaf.c.leaf_index).where(audit_leaf.c.entry_id == entry_id))
    if number is None:
        return False
    try:
        reader = LogReader(log, vkey)
        data = reader.entry(number)
        root = root_from_inclusion(number, reader.size, leaf_hash(data), reader.proof(number).hashes)
        return root == reader.checkpoint.root and decode(data)["id"] == entry_id
    except (AuditError, OSError, ValueError, KeyError):
        return False
