"""What decides over one open lease, read from the database: who still may, and what became of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.gpu.endings import LeaseFacts
from enclave.model.gpu import GpuLease
from enclave.model.workspace import Workspace
from enclave.policy.allows import allows
from enclave.policy.gpu import check_may_use
from enclave.policy.people import check_account_open
from enclave.queries.gpu import in_use, profile_of
from enclave.queries.people import roles_now, standing_facts
from enclave.queries.project import facts


def lease_facts(session: Session, found: GpuLease, seen: Mapping[str, str] | None, now: datetime) -> LeaseFacts:
    """Return the facts of one lease; `seen` maps devices to workspaces as the gate sees them, if it was asked."""
    using = found.workspace if in_use(found) else None
    return LeaseFacts(
        state=found.state,
        entitled=_entitled(session, found, now),
        present=found.device is None or found.device.present,
        expires_at=found.expires_at,
        claim_by=found.claim_by,
        workspace=using.state if using else None,
        since=_since(using) if using else None,
        seen=None if seen is None else seen.get(found.device_uuid or "") == found.workspace_id,
    )


def _entitled(session: Session, found: GpuLease, now: datetime) -> bool:
    account, profile = found.account, profile_of(session, found.project_id)
    who = Actor(account.id, account.login, roles_now(account, now), account.organisation_id, "", "")
    return (
        profile.value == found.kind.value
        and allows(check_account_open, standing_facts(account), now)
        and allows(check_may_use, who, facts(found.project), found.project.state, profile, now)
    )


def _since(found: Workspace) -> datetime:
    return max(moment for moment in (found.requested_at, found.started_at, found.ended_at) if moment is not None)
