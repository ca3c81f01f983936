"""Reading what is sealed: executed code and the masked samples of findings. Auditors alone, each look one entry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present
from enclave.commands.seen import text_of
from enclave.policy import watch as policy
from enclave.queries.watch import CodeView, FindingView, code_view, finding_view, load_code, load_finding
from enclave.store import Store
from enclave.vault import Vault


@dataclass(frozen=True)
class CodeText:
    """One execution with its text."""

    code: CodeView
    text: str


@dataclass(frozen=True)
class Samples:
    """One finding with its masked samples: (kind, first character and ***)."""

    finding: FindingView
    samples: tuple[tuple[str, str], ...]


def view_code(store: Store, vault: Vault, actor: Actor, *, code_id: str, now: datetime) -> CodeText:
    """Return the text of one execution. Auditors. Raises `Denied`, `NotFound`, `Unavailable` (`vault.damaged`)."""
    with store.write(intent(Action.CODE_VIEW, actor, ("code", code_id))) as tx:
        acting = present(tx.session, actor, now)
        policy.check_may_read_code(acting)
        found = load_code(tx.session, code_id)
        tx.record(project=found.project_id, object_sha256=found.sha256, details={"workspace": found.workspace_id})
        text = text_of(vault.open(found.sealed, purpose=f"code:{found.id}"))
        return CodeText(code_view(tx.session, found, acting), text)


def view_finding(store: Store, vault: Vault, actor: Actor, *, finding_id: str, now: datetime) -> Samples:
    """Return the masked samples of one finding. Auditors. Raises `Denied`, `NotFound`, `Unavailable`."""
    with store.write(intent(Action.DISPLAY_VIEW, actor, ("finding", finding_id))) as tx:
        acting = present(tx.session, actor, now)
        policy.check_may_read_code(acting)
        found = load_finding(tx.session, finding_id)
        tx.record(project=found.project_id, object_sha256=found.sha256, details={"workspace": found.workspace_id})
        sealed = json.loads(vault.open(found.sealed, purpose=f"finding:{found.id}"))
        return Samples(finding_view(tx.session, found, acting), tuple((kind, masked) for kind, masked in sealed))
