"""Looking at the files of one's own frozen workspace: recorded before the gate is asked for anything."""

from __future__ import annotations

from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present
from enclave.policy import ends as policy
from enclave.queries.ends import EndedView, ended_view, frozen_facts
from enclave.queries.workspace import load_workspace
from enclave.store import Store


def look(store: Store, actor: Actor, *, workspace_id: str, files: int, now: datetime) -> EndedView:
    """Record that the workspace's own person looks at its list of files (`files` = 0) or into so many of them.

    Raises `Denied`, `NotFound`, `Conflict` (`ends.not-frozen`).
    """
    with store.write(intent(Action.WORKSPACE_LOOK, actor, ("workspace", workspace_id))) as tx:
        found = load_workspace(tx.session, workspace_id)
        tx.record(project=found.project_id, details={"files": files})
        acting = present(tx.session, actor, now)
        policy.check_may_look(acting, frozen_facts(found))
        return ended_view(found, acting, now)
