"""The keys of a workspace's volumes: made at its first start, handed to the gate, destroyed at its end (R29)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import check_system, intent
from enclave.errors import Conflict
from enclave.model.ends import VolumeKey
from enclave.queries.workspace import load_workspace
from enclave.states import WorkspaceState
from enclave.store import Store
from enclave.vault import Vault
from enclave.volume_keys import fresh_key, identifier

NAMES = ("home", "outbox")


def hand_over(store: Store, vault: Vault, actor: Actor, *, workspace_id: str, now: datetime) -> dict[str, bytes]:
    """Return the keys of a workspace's volumes, for the gate; the first time they are made. The system only.

    Raises `Denied`, `NotFound`, `Conflict` (`volume-key.destroyed`), `Unavailable` (`vault.damaged`).
    """
    with store.write(intent(Action.VOLUME_KEY_USE, actor, ("workspace", workspace_id))) as tx:
        check_system(actor)
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id)
        rows = keys_of(tx.session, workspace_id)
        if found.state is WorkspaceState.DESTROYED or any(row.sealed is None for row in rows.values()):
            raise _destroyed(workspace_id)
        made = {name: fresh_key() for name in NAMES if name not in rows}
        for name, key in made.items():
            sealed = vault.seal(key, purpose=_purpose(workspace_id, name))
            tx.session.add(
                VolumeKey(
                    workspace_id=workspace_id, name=name, key_id=identifier(key).hex(), sealed=sealed, made_at=now
                )
            )
        tx.record(details={"made": len(made)})
        opened = {
            name: vault.open(row.sealed or b"", purpose=_purpose(workspace_id, name)) for name, row in rows.items()
        }
        return opened | made


def keys_of(session: Session, workspace_id: str) -> dict[str, VolumeKey]:
    """Return a workspace's keys by the name of the volume."""
    query = select(VolumeKey).where(VolumeKey.workspace_id == workspace_id)
    return {row.name: row for row in session.scalars(query)}


def _opened(vault: Vault, row: VolumeKey) -> bytes:
    return vault.open(row.sealed or b"", purpose=_purpose(row.workspace_id, row.name))


def _purpose(workspace_id: str, name: str) -> str:
    return f"volume:{workspace_id}/{name}"


def _destroyed(workspace_id: str) -> Conflict:
    return Conflict(
        "volume-key.destroyed",
        ko=f"작업공간 {workspace_id}의 볼륨 키는 파기되었습니다.",
        en=f"The keys of the volumes of workspace {workspace_id} have been destroyed.",
        remedy_ko="되돌릴 수 없습니다. 자료가 더 필요하면 과제를 새로 신청하세요.",
        remedy_en="This cannot be undone. Apply for a new project if the data is still needed.",
    )
