"""Ending a version in which somebody withdrew, as `ansim deid withdraw` left word (korea.md R97)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from audit.event import Event
from deid.versions.recalls import NEXT_START, Recall
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import check_system, intent
from enclave.commands.samples import forget_originals
from enclave.errors import Conflict
from enclave.queries.dataset import SnapshotView, load_snapshot, snapshot_view
from enclave.queries.holders import load_holders
from enclave.queries.recalls import OPEN, REASON, is_due
from enclave.states import SNAPSHOT, SnapshotState, check_transition
from enclave.store import Store


def recall_snapshot(store: Store, actor: Actor, *, recall: Recall, now: datetime) -> SnapshotView:
    """Withdraw a version that holds somebody who withdrew; one entry for it, one for each project that holds it.

    Nobody has to agree to it and nobody can put it off: the keys are being destroyed. What runs with it is stopped by
    the next sweep or ends at its next start, as the recall says; originals of its text sample are deleted. The system
    and the console. Raises `Denied`, `NotFound`, `Conflict` (`recall.not-due`: nothing is left to end).
    """
    with store.write(intent(Action.SNAPSHOT_RECALL, actor, ("snapshot", recall.snapshot))) as tx:
        if not actor.is_console:
            check_system(actor)
        found = load_snapshot(tx.session, recall.snapshot, lock=True)
        if not is_due(found, recall):
            raise _not_due()
        if found.state in OPEN:
            check_transition(SNAPSHOT, found.state, SnapshotState.WITHDRAWN, f"스냅샷 {found.id[:12]}")
            found.state, found.withdrawn_at, found.withdraw_reason = SnapshotState.WITHDRAWN, now, REASON
        found.running_stay = recall.mounts_end == NEXT_START
        forget_originals(tx.session, found.id, marks_too=True)
        held = load_holders(tx.session, found.id)
        spaces = [space for each in held for space in each.workspaces]
        told: dict[str, str | int | bool] = {"mounts_end": recall.mounts_end, "since": recall.day}
        counts = {"projects": len(held), "workspaces": len(spaces), "running": sum(one.running for one in spaces)}
        tx.record(object_sha256=found.id, details={**told, **counts, "files": recall.files, "plain": recall.plain})
        for each in held:
            tx.also(_to(actor, each.project_id, found.id, told))
        return snapshot_view(found, actor)


def _to(actor: Actor, project_id: str, snapshot_id: str, told: dict[str, str | int | bool]) -> Event:
    event = intent(Action.SNAPSHOT_RECALL, actor, ("project", project_id), project=project_id)
    return replace(event, object_sha256=snapshot_id, details=told)


def _not_due() -> Conflict:
    return Conflict(
        "recall.not-due",
        ko="이미 쓰이지 않는 버전입니다.",
        en="This version is not in use any more.",
        remedy_ko="더 할 일은 없습니다.",
        remedy_en="There is nothing to do.",
    )
