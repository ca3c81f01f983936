"""Keeping the ledger, inside the transactions of those who submit, decide and let out (docs/adr/0024)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enclave.airlock.ledger import image as images
from enclave.airlock.ledger.asked import Populations
from enclave.airlock.ledger.conflicts import Conflict
from enclave.airlock.ledger.people import Digests, Positions, pack, place, placed_groups, unpack_positions
from enclave.ids import new_id
from enclave.model.egress import AirlockRequest
from enclave.model.ledger import LedgerCell, LedgerGroup, LedgerHead, LedgerSnapshot
from enclave.queries import ledger as queries


def place_people(session: Session, dataset_id: str, snapshot_id: str, people: Digests) -> Positions:
    """Put a snapshot's people (digests, in the order of its pseudonyms) into the list, unless they are there."""
    lock(session, dataset_id)
    found = session.get(LedgerSnapshot, snapshot_id)
    if found is not None:
        return unpack_positions(found.positions)
    placed = place(queries.digests(session, dataset_id), people)
    query = select(LedgerSnapshot.place).where(LedgerSnapshot.dataset_id == dataset_id)
    session.add(
        LedgerSnapshot(
            snapshot_id=snapshot_id,
            dataset_id=dataset_id,
            place=max(session.scalars(query), default=-1) + 1,
            people=len(people),
            until=placed.until,
            positions=pack(placed.positions),
            joined=pack(placed.joined),
        )
    )
    session.flush()
    return placed.positions


def keep(session: Session, request: AirlockRequest, file_name: str, found: Populations, now: datetime) -> None:
    """Write down what one file of the present round asks for. It counts once it is let out."""
    positions = _positions(session, found)
    people = queries.listed(session, found.dataset_id)
    for group in placed_groups(found.groups, positions):
        row = LedgerGroup(
            id=new_id("lg"),
            dataset_id=found.dataset_id,
            snapshot_id=found.snapshot_id,
            project_id=request.project_id,
            request_id=request.id,
            round=request.round,
            file_name=file_name,
            measure=group.origin.measure,
            smallest=found.smallest,
            model=group.origin.model,
            loose=group.loose,
            image=images.dump(images.draw(group, people)),
            compared_at=found.compared_at,
            submitted_at=now,
        )
        row.cells = [
            LedgerCell(position=at, label=cell.label, size=len(cell.people), people=cell.people.serialize())
            for at, cell in enumerate(group.cells)
        ]
        session.add(row)
    session.flush()


def _positions(session: Session, found: Populations) -> Positions:
    if found.digests is not None:
        return place_people(session, found.dataset_id, found.snapshot_id, found.digests)
    positions = queries.positions(session, found.snapshot_id)
    if positions is None:
        raise ValueError("people that are not in the list come with their digests")
    return positions


def let_out(session: Session, request: AirlockRequest, names: Iterable[str], now: datetime) -> int:
    """Count these files' populations from now on; in the transaction that decides. Returns how many cells there are."""
    wanted = set(names)
    rows = [each for each in _rows(session, request) if each.file_name in wanted and each.released_at is None]
    for dataset_id in sorted({each.dataset_id for each in rows}):
        lock(session, dataset_id).version += 1
    for each in rows:
        each.released_at = now
    session.flush()
    return sum(len(each.cells) for each in rows)


def lock(session: Session, dataset_id: str) -> LedgerHead:
    """Lock one data set's ledger until the transaction ends: who compares and lets out does so alone."""
    query = select(LedgerHead).where(LedgerHead.dataset_id == dataset_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is not None:
        return found
    try:
        with session.begin_nested():
            session.add(LedgerHead(dataset_id=dataset_id, version=0))
    except IntegrityError:  # another hand began the same ledger first, and holds it
        session.expire_all()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def overtaken(session: Session, request: AirlockRequest) -> tuple[Conflict, ...]:
    """Lock the ledgers of what is asked for, and return what newer releases have made of it since it was compared.

    Whoever lets the request out in this transaction does so with nothing in between.
    """
    rows = _rows(session, request)
    found: list[Conflict] = []
    for dataset_id in sorted({each.dataset_id for each in rows}):  # in one order, so that no two wait for each other
        head = lock(session, dataset_id)
        mine = [each for each in rows if each.dataset_id == dataset_id]
        if all(each.compared_at == head.version for each in mine):
            continue
        smallest = max(each.smallest for each in mine)
        found += queries.compare(session, dataset_id, queries.asked(mine), smallest)[1]
        for each in mine:
            each.compared_at = head.version
    return tuple(found)


def _rows(session: Session, request: AirlockRequest) -> Sequence[LedgerGroup]:
    query = select(LedgerGroup).where(LedgerGroup.request_id == request.id, LedgerGroup.round == request.round)
    return session.scalars(query.order_by(LedgerGroup.id)).all()
