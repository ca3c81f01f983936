"""What the ledger holds of a data set, as its comparison needs it: images at once, populations when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from pyroaring import BitMap
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, defer

from enclave.airlock.ledger import image as images
from enclave.airlock.ledger.cells import Cell, Group, Origin
from enclave.airlock.ledger.conflicts import Conflict, conflicts, everyone
from enclave.airlock.ledger.image import Image
from enclave.airlock.ledger.people import Digests, Positions, unpack_digests, unpack_positions
from enclave.model.egress import AirlockRequest
from enclave.model.ledger import LedgerCell, LedgerGroup, LedgerHead, LedgerSnapshot


@dataclass(frozen=True)
class Ledger:
    """What is out about one data set: at which version, over how many people, and all of it."""

    dataset_id: str
    version: int
    people: int
    released: tuple[Image, ...]


def ledger(session: Session, dataset_id: str) -> Ledger:
    """Return everything that was released about a data set, and the populations that everybody knows.

    The images read populations through `session`, which must stay open while they are compared.
    """
    people = listed(session, dataset_id)
    found = _images(session, LedgerGroup.dataset_id == dataset_id, LedgerGroup.released_at.is_not(None))
    known = [images.draw(everyone(each), people) for each in _snapshots(session, dataset_id)]
    return Ledger(dataset_id, version(session, dataset_id), people, (*found, *known))


def asked(rows: Iterable[LedgerGroup]) -> list[Group]:
    """Return stored rows of a round as what is being asked for."""
    return [
        Group(
            Origin("", each.request_id, each.project_id, each.file_name, model=each.model, measure=each.measure),
            tuple(Cell(cell.label, BitMap.deserialize(cell.people)) for cell in each.cells),
            loose=each.loose,
        )
        for each in rows
    ]


def compare(
    session: Session, dataset_id: str, groups: Sequence[Group], k: int, *, own: Sequence[Positions] = ()
) -> tuple[int, tuple[Conflict, ...]]:
    """Return the ledger's version, and what these groups give away about fewer than k people with what is out.

    `own`: the list's places of the people of each snapshot that is not in the list yet.
    """
    found = ledger(session, dataset_id)
    people = max([found.people, *(int(each.max()) + 1 for each in own if len(each))])
    known = [images.draw(everyone(BitMap(np.sort(each))), people) for each in own]
    return found.version, conflicts(groups, (*found.released, *known), k, people=people)


def released_before(session: Session, dataset_id: str, but_of: str, until: datetime, *, limit: int) -> Sequence[Image]:
    """Return what was let out about a data set before a moment, newest first, leaving out one request's own."""
    counts = (LedgerGroup.dataset_id == dataset_id) & (LedgerGroup.released_at < until)
    query = select(LedgerGroup.id).where(counts, LedgerGroup.request_id != but_of)
    ids = session.scalars(query.order_by(LedgerGroup.released_at.desc()).limit(limit)).all()
    return _images(session, LedgerGroup.id.in_(ids))[::-1]


def version(session: Session, dataset_id: str) -> int:
    """Return how many decisions have let something out about a data set."""
    found = session.get(LedgerHead, dataset_id)
    return found.version if found is not None else 0


def listed(session: Session, dataset_id: str) -> int:
    """Return how many people the data set's list holds."""
    query = select(LedgerSnapshot.until).where(LedgerSnapshot.dataset_id == dataset_id)
    return max(session.scalars(query), default=0)


def positions(session: Session, snapshot_id: str) -> Positions | None:
    """Return the list's place of each of a snapshot's people, in the order of its pseudonyms; None if not placed."""
    found = session.get(LedgerSnapshot, snapshot_id)
    return unpack_positions(found.positions) if found is not None else None


def digests(session: Session, dataset_id: str) -> Digests:
    """Return the digests of a data set's list, in its order."""
    query = select(LedgerSnapshot.joined).where(LedgerSnapshot.dataset_id == dataset_id).order_by(LedgerSnapshot.place)
    return np.concatenate([np.empty(0, "<u8"), *(unpack_digests(each) for each in session.scalars(query))])


def _snapshots(session: Session, dataset_id: str) -> Iterable[BitMap]:
    query = select(LedgerSnapshot).where(LedgerSnapshot.dataset_id == dataset_id).order_by(LedgerSnapshot.place)
    for each in session.scalars(query.options(defer(LedgerSnapshot.joined))):
        yield BitMap(np.sort(unpack_positions(each.positions)))


def _images(session: Session, *conditions: ColumnElement[bool]) -> list[Image]:
    query = select(LedgerGroup).where(*conditions).order_by(LedgerGroup.released_at, LedgerGroup.id)
    found = list(session.scalars(query))
    labels = _labels(session, [each.id for each in found])
    releases = _releases(session, {each.request_id for each in found})
    return [_image(session, each, labels[each.id], releases.get(each.request_id, "")) for each in found]


def _image(session: Session, found: LedgerGroup, labels: tuple[str, ...], release: str) -> Image:
    origin = Origin(
        release, found.request_id, found.project_id, found.file_name, model=found.model, measure=found.measure
    )
    return images.parse(found.image, origin, labels, _loader(session, found.id), loose=found.loose)


def _loader(session: Session, group_id: str) -> Callable[[int], BitMap]:
    def load(place: int) -> BitMap:
        query = select(LedgerCell.people).where(LedgerCell.group_id == group_id, LedgerCell.position == place)
        return BitMap.deserialize(session.scalars(query).one())

    return load


def _labels(session: Session, ids: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {each: [] for each in ids}
    for start in range(0, len(ids), 500):  # as many as a statement of either database takes
        query = select(LedgerCell.group_id, LedgerCell.label).where(LedgerCell.group_id.in_(ids[start : start + 500]))
        for group_id, label in session.execute(query.order_by(LedgerCell.group_id, LedgerCell.position)):
            found[group_id].append(label)
    return {each: tuple(labels) for each, labels in found.items()}


def _releases(session: Session, requests: set[str]) -> dict[str, str]:
    query = select(AirlockRequest).where(AirlockRequest.id.in_(requests))
    return {each.id: each.release.id for each in session.scalars(query) if each.release is not None}
