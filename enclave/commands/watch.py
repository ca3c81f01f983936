"""Taking in what the gate saw: each event exactly once, whatever is delivered twice or dies in between.

The gate keeps an event until it is told to let go (`Gate.settle`), and that is done after this transaction. An event
whose id is in `taken_event` is recorded already: it is passed over, and may be settled.

Executed code has an entry for each execution and its text, sealed, in `executed_code`. What was shown has one entry
with sums; the texts wait, sealed, to be searched (`commands.shown`). Of everything else at most `SINGLES` a minute,
workspace and kind have entries of their own; a flood above that is one entry that says how many.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from audit.event import Event
from enclave.commands import seen
from enclave.commands.seen import CODE, DISPLAY, Place
from enclave.gate.events import GateEvent
from enclave.ids import new_id
from enclave.model.base import Base
from enclave.model.watch import DisplayText, ExecutedCode, TakenEvent
from enclave.model.workspace import Workspace
from enclave.store import Store
from enclave.vault import Vault

SINGLES = 20
MINUTE = timedelta(minutes=1)
# How much shown text of one workspace may wait to be searched, in characters; what is over is told as not searched.
WAITING = 2 << 20
# A gate that redelivers after this long has been without its portal for a month.
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class _Known:
    """What the database said before: events taken already, places, entries of this minute, characters waiting."""

    taken: frozenset[str]
    places: Mapping[str, Place]
    singles: Counter[tuple[str, str]]
    waiting: Counter[str]


@dataclass
class _Batch:
    """What one transaction will write: rows, and entries in the order in which they happened."""

    rows: list[Base] = field(default_factory=list)
    entries: list[Event] = field(default_factory=list)


def take(store: Store, vault: Vault, *, events: Sequence[GateEvent], now: datetime) -> int:
    """Record a batch of events in the order given; afterwards all of them may be settled. Returns how many were new.

    Raises `Unavailable` or `Conflict`: then nothing was recorded, and they come again.
    """
    with store.read() as session:
        known = _known(session, events, now)
    fresh = [each for each in {each.id: each for each in events}.values() if each.id not in known.taken]
    if not fresh:
        return 0
    batch = _batch(vault, fresh, known, now)
    with store.write(batch.entries[0]) as tx:
        tx.session.execute(delete(TakenEvent).where(TakenEvent.taken_at < now - KEPT))
        tx.session.add_all(batch.rows)
        for each in batch.entries[1:]:
            tx.also(each)
    return len(fresh)


def bury(store: Store, *, event: GateEvent, code: str, now: datetime) -> None:
    """Record that an event could not be recorded as what it is, so that it blocks no other; twice is no error."""
    with store.read() as session:
        if session.get(TakenEvent, event.id) is not None:
            return
    with store.write(seen.buried(event, code)) as tx:
        tx.session.add(_taken(event, now, single=True))


def is_pressing(events: Sequence[GateEvent]) -> bool:
    """Return whether a batch should be recorded now: anything but shown output may not wait for more of it."""
    return any(each.kind != DISPLAY for each in events)


def _batch(vault: Vault, fresh: list[GateEvent], known: _Known, now: datetime) -> _Batch:
    batch = _Batch()
    crowd: defaultdict[tuple[str, str], list[GateEvent]] = defaultdict(list)
    singles = known.singles.copy()
    for event in fresh:
        key = (event.workspace_id, event.kind)
        single = event.kind == CODE or (event.kind != DISPLAY and (singles[key] < SINGLES or seen.is_sum(event)))
        batch.rows.append(_taken(event, now, single=single))
        if not single:
            crowd[key].append(event)
            continue
        singles[key] += 1
        place = known.places[event.workspace_id]
        batch.entries.append(seen.entry(event, place))
        if event.kind == CODE:
            batch.rows.append(_code(vault, event, place))
    for (workspace_id, kind), events in crowd.items():
        place = known.places[workspace_id]
        if kind == DISPLAY:
            _add_shown(vault, batch, place, events, known.waiting[workspace_id], now)
        else:
            batch.entries.append(seen.more(kind, place, events))
    return batch


def _add_shown(  # noqa: PLR0913, PLR0917 - one helper, the parts of one batch
    vault: Vault, batch: _Batch, place: Place, events: list[GateEvent], waiting: int, now: datetime
) -> None:
    batch.entries.append(seen.shown(place, events))
    left_out: Counter[str] = Counter()
    for event in events:
        characters = len(seen.text_of(event.text))
        if not characters:
            continue
        # Of a message longer than the gate keeps, the gate says that its end was never searched.
        left_out["cut"] += seen.number(event, "cut")
        if place.project_id is None:
            left_out["unknown"] += 1
        elif waiting + characters > WAITING:
            left_out["backlog"] += 1
        else:
            waiting += characters
            batch.rows.append(_waiting_text(vault, event, characters, now))
    if left_out.total():
        batch.entries.append(seen.unsearched(place, left_out))


def _known(session: Session, events: Sequence[GateEvent], now: datetime) -> _Known:
    wanted = {each.workspace_id for each in events}
    ids = [each.id for each in events]
    named = {seen.word(name) for name in wanted}  # what is no word the database may not even be asked about
    taken = session.scalars(select(TakenEvent.id).where(TakenEvent.id.in_(ids)))
    minute = (
        select(TakenEvent.workspace_id, TakenEvent.kind, func.count())
        .where(TakenEvent.workspace_id.in_(named), TakenEvent.taken_at > now - MINUTE, TakenEvent.single)
        .group_by(TakenEvent.workspace_id, TakenEvent.kind)
    )
    waiting = (
        select(DisplayText.workspace_id, func.sum(DisplayText.characters))
        .where(DisplayText.workspace_id.in_(named))
        .group_by(DisplayText.workspace_id)
    )
    return _Known(
        taken=frozenset(taken),
        places=_places(session, wanted),
        singles=Counter({(name, kind): count for name, kind, count in session.execute(minute)}),
        waiting=Counter({name: int(characters) for name, characters in session.execute(waiting)}),
    )


def _places(session: Session, wanted: Iterable[str]) -> dict[str, Place]:
    named = {seen.word(name) for name in wanted}
    query = select(Workspace.id, Workspace.project_id, Workspace.account_id).where(Workspace.id.in_(named))
    known = {name: Place(name, project, account) for name, project, account in session.execute(query)}
    about_gate = dict.fromkeys(("", "gate"), seen.GATE)
    return {name: about_gate.get(name) or known.get(name) or Place(seen.word(name)) for name in wanted}


def _taken(event: GateEvent, now: datetime, *, single: bool) -> TakenEvent:
    workspace_id, kind = seen.word(event.workspace_id), seen.word(event.kind)
    return TakenEvent(id=event.id, workspace_id=workspace_id, kind=kind, single=single, taken_at=now)


def _code(vault: Vault, event: GateEvent, place: Place) -> ExecutedCode:
    made = new_id("x")
    return ExecutedCode(
        id=made,
        event_id=event.id,
        workspace_id=place.workspace_id,
        project_id=place.project_id,
        account_id=place.account_id,
        at=event.at,
        source=seen.word(event.details.get("source", "execute")),
        sha256=sha256(event.text).hexdigest(),
        characters=len(seen.text_of(event.text)),
        sealed=vault.seal(event.text, purpose=f"code:{made}"),
    )


def _waiting_text(vault: Vault, event: GateEvent, characters: int, now: datetime) -> DisplayText:
    return DisplayText(
        event_id=event.id,
        workspace_id=event.workspace_id,
        taken_at=now,
        at=event.at,
        mime=seen.mimes(event.details.get("mime", "")),
        sha256=sha256(event.text).hexdigest(),
        characters=characters,
        sealed=vault.seal(event.text, purpose=f"display:{event.id}"),
    )
