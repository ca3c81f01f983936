"""What a search of shown texts came to: findings, and owning up to what was not searched.

Every text waits once and goes with the transaction that says what became of it; one that is searched again after a
crash is still told once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from audit.event import Event
from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock.shown import Found
from enclave.commands import seen
from enclave.commands.acting import intent
from enclave.commands.seen import Place
from enclave.ids import new_id
from enclave.model.watch import DisplayFinding, DisplayText
from enclave.model.workspace import Workspace
from enclave.queries.workspace import load_workspace
from enclave.store import Store
from enclave.vault import Vault

# Entries of their own in one transaction; the rest is one entry with their number.
SINGLES = 20


@dataclass(frozen=True)
class Searched:
    """What one transaction came to."""

    texts: int
    findings: int


def record_search(
    store: Store, vault: Vault, *, workspace_id: str, found: Mapping[str, Found | None], now: datetime
) -> Searched:
    """Record what was found in texts of one workspace, by event id; None: it could not be searched.

    The texts go; a finding keeps kinds, counts and masked samples. Raises `NotFound`, `Unavailable`.
    """
    with store.write(intent(Action.DISPLAY_SEARCHED, Actor.system(), ("workspace", workspace_id))) as tx:
        place = load_workspace(tx.session, workspace_id)
        query = select(DisplayText).where(DisplayText.event_id.in_(found), DisplayText.workspace_id == workspace_id)
        texts = tx.session.scalars(query.order_by(DisplayText.event_id).with_for_update()).all()
        hits = [(text, result) for text in texts if (result := found[text.event_id]) is not None and result.counts]
        failed = sum(found[text.event_id] is None for text in texts)
        tx.session.add_all([_finding(vault, place, text, result, now) for text, result in hits])
        tx.session.execute(delete(DisplayText).where(DisplayText.event_id.in_([text.event_id for text in texts])))
        tx.record(
            project=place.project_id,
            details={
                "texts": len(texts) - failed,
                "characters": sum(text.characters for text in texts if found[text.event_id] is not None),
                "findings": len(hits),
            },
        )
        for event in _entries(Place(place.id, place.project_id, place.account_id), hits, failed):
            tx.also(event)
        return Searched(len(texts), len(hits))


def _entries(place: Place, hits: list[tuple[DisplayText, Found]], failed: int) -> list[Event]:
    entries = [_entry(place, text, result) for text, result in hits[:SINGLES]]
    if rest := hits[SINGLES:]:
        entries.append(_event(place, details={"more": len(rest), "first": rest[0][0].event_id}))
    if failed:
        entries.append(seen.unsearched(place, {"checker": failed}))
    return entries


def _entry(place: Place, text: DisplayText, result: Found) -> Event:
    details = {f"n_{kind.lower()}": count for kind, count in sorted(result.counts.items())}
    more: dict[str, str | int | bool] = {"event": text.event_id, "characters": text.characters}
    return _event(place, details={**details, **more}, digest=text.sha256)


def _event(place: Place, *, details: dict[str, str | int | bool], digest: str | None = None) -> Event:
    return Event(
        action=Action.DISPLAY_FINDING.value,
        outcome="done",
        actor_id=place.account_id or "",
        actor_role="none",
        object_kind="workspace",
        object_id=place.workspace_id,
        object_sha256=digest,
        project=place.project_id,
        details=details,
    )


def _finding(vault: Vault, place: Workspace, text: DisplayText, result: Found, now: datetime) -> DisplayFinding:
    made = new_id("f")
    return DisplayFinding(
        id=made,
        event_id=text.event_id,
        workspace_id=place.id,
        project_id=place.project_id,
        account_id=place.account_id,
        at=text.at,
        found_at=now,
        kinds=result.kinds,
        sha256=text.sha256,
        characters=text.characters,
        sealed=vault.seal(json.dumps(result.samples, ensure_ascii=False).encode(), purpose=f"finding:{made}"),
    )
