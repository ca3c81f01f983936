"""What the system found out itself about the files of a request: for checkers, never for those who asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from enclave.actor import Actor
from enclave.airlock.report import Evidence, FileReport
from enclave.policy.airlock import visibility, who
from enclave.queries.airlock_facts import facts, load_request, present_files
from enclave.store import Store


def evidence(store: Store, actor: Actor, request_id: str, *, now: datetime) -> Mapping[str, tuple[Evidence, ...]]:
    """Return the evidence in the present files' reports by file id; nothing to the author's side.

    Raises `NotFound`, or `Denied` if the request is none of the actor's business.
    """
    with store.read() as session:
        found = load_request(session, request_id)
        about = facts(found, now)
        who.check_may_see(actor, about)
        if not visibility.sees_evidence(actor, about):
            return {}
        return {file.id: FileReport.from_json(file.report).evidence for file in present_files(found) if file.report}
