"""Which files of a request one person has seen whole."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from enclave.actor import Actor
from enclave.model.egress import OutputFile
from enclave.model.sighting import FileShown
from enclave.store import Store


def seen_whole(store: Store, actor: Actor, request_id: str) -> frozenset[str]:
    """Return the ids of the request's files that were shown to the actor, all of each, in this round or before."""
    with store.read() as session:
        return load_seen(session, actor.account_id, request_id)


def load_seen(session: Session, account_id: str, request_id: str) -> frozenset[str]:
    """Return the same inside a transaction. A file that came again unchanged, under its name, was seen already."""
    before = aliased(OutputFile)
    query = (
        select(OutputFile.id)
        .join(before, (before.request_id == OutputFile.request_id) & (before.sha256 == OutputFile.sha256))
        .join(FileShown, FileShown.file_id == before.id)
        .where(OutputFile.request_id == request_id, before.name == OutputFile.name, FileShown.account_id == account_id)
    )
    return frozenset(session.scalars(query))
