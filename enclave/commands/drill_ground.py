"""The ground a drill stands on: its two accounts, their project, and what they may at this moment.

Rows like those of any project, so that a drill's workspace is asked for, planned and ended the way everybody's is.
`Ground` says what shall be true of them; setting it again puts back whatever a drill (or its crash) has spoilt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from deid import snapshot as snapshots
from deid.errors import SnapshotDamaged
from deid.manifest import Manifest, dump
from enclave import pledge, reserved
from enclave.actions import Action
from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.commands.acting import intent
from enclave.errors import Denied
from enclave.ids import new_id
from enclave.model.data import Dataset, Snapshot
from enclave.model.people import Account, AccountRole, Organisation, OrganisationKind
from enclave.model.project import LegalBasis, Pledge, Project, ProjectColumn, ProjectMember
from enclave.policy.drill import check_may_run_drill
from enclave.roles import Role
from enclave.states import ColumnState, ProjectState, SnapshotState
from enclave.store import Store

TABLE, APPROVED, CLOSED = "canaries", "approved", "closed"
NO_PASSWORD = "!"  # noqa: S105 - no hash: nothing that is typed matches it


@dataclass(frozen=True)
class Ground:
    """What shall be true of the account `drill` and of the project: all well, unless something is spoilt on purpose."""

    pledged: bool = True
    project_open: bool = True
    account_open: bool = True


def set_ground(  # noqa: PLR0913 - keyword-only
    store: Store, actor: Actor, *, folder: Path, public_key: Ed25519PublicKey, ground: Ground, now: datetime
) -> str:
    """Bring the drill's rows into the state that `ground` says; `folder` is its signed snapshot. Returns the project.

    System and console. Raises `Denied` (`snapshot.damaged`; not entitled).
    """
    event = intent(Action.DRILL_GROUND, actor, ("project", reserved.PROJECT), project=reserved.PROJECT)
    with store.prepare(event):
        check_may_run_drill(actor)
        manifest = _verified(folder, public_key)
    with store.write(event) as tx:
        session = tx.session
        _organisation(session, now)
        people = [_account(session, login, now) for login in sorted(reserved.LOGINS)]
        _snapshot(session, manifest, folder, now)
        project = _project(session, people[0], ground, now)
        _members(session, people, manifest, now)
        _pledges(session, people, ground, now)
        drilled = people[0]
        drilled.ended_at = None if ground.account_open else now
        tx.record(
            details={"pledged": ground.pledged, "project": ground.project_open, "account": ground.account_open},
            object_sha256=manifest.id,
        )
        session.flush()
        return project.id


def _verified(folder: Path, public_key: Ed25519PublicKey) -> Manifest:
    try:
        return snapshots.verify(folder, public_key)
    except SnapshotDamaged as error:
        raise Denied(
            "snapshot.damaged", ko=error.ko, en=error.en, remedy_ko=error.remedy_ko, remedy_en=error.remedy_en
        ) from error


def _organisation(session: Session, now: datetime) -> None:
    if session.get(Organisation, reserved.NAME) is None:
        kind = OrganisationKind.PROVIDER
        session.add(Organisation(id=reserved.NAME, name="모의침투", kind=kind, created_at=now))
        session.flush()


def _account(session: Session, login: str, now: datetime) -> Account:
    found = session.scalar(select(Account).where(Account.login == login).with_for_update())
    if found is None:
        found = Account(
            id=f"u-{login}",
            login=login,
            name=login,
            organisation_id=reserved.NAME,
            password_hash=NO_PASSWORD,
            totp_last_step=0,
            failed_logins=0,
            created_at=now,
        )
        session.add(found)
        session.flush()
        _grant(session, found, now)
    found.locked_at = found.ended_at = found.ends_on = None
    return found


def _grant(session: Session, account: Account, now: datetime) -> None:
    grant = AccountRole(id=new_id("g"), account_id=account.id, role=Role.SCIENTIST, reason="drill", granted_at=now)
    grant.granted_by = "system"
    session.add(grant)


def _snapshot(session: Session, manifest: Manifest, folder: Path, now: datetime) -> None:
    if session.get(Dataset, reserved.NAME) is None:
        titles = {"title_ko": "모의침투용 합성 자료", "title_en": "Synthetic data of the drill"}
        session.add(Dataset(id=reserved.NAME, organisation_id=reserved.NAME, description="", created_at=now, **titles))
        session.flush()
    found = session.get(Snapshot, manifest.id)
    if found is None:
        found = Snapshot(id=manifest.id, dataset_id=reserved.NAME, manifest=dump(manifest)[1], published_at=now)
        found.published_by = "system"
        session.add(found)
    found.state, found.path = SnapshotState.PUBLISHED, str(folder.absolute())
    session.flush()


def _project(session: Session, lead: Account, ground: Ground, now: datetime) -> Project:
    today = korean_date(now)
    found = session.get(Project, reserved.PROJECT)
    if found is None:
        texts = dict.fromkeys(("purpose", "combination_approval", "expected_outputs", "ethics", "safety_plan"), "")
        found = Project(
            id=reserved.PROJECT,
            title="모의침투",
            legal_basis=LegalBasis.ANONYMOUS,
            lead_id=lead.id,
            organisation_id=reserved.NAME,
            state_reason="",
            created_at=now,
            starts_on=today,
            **texts,
        )
        session.add(found)
    found.state, found.ended_at, found.activated_at = ProjectState.ACTIVE, None, now
    found.starts_on = min(found.starts_on or today, today - timedelta(days=2))
    found.ends_on = today + timedelta(days=1) if ground.project_open else today - timedelta(days=1)
    session.flush()
    return found


def _members(session: Session, people: list[Account], manifest: Manifest, now: datetime) -> None:
    for each in people:
        if session.get(ProjectMember, (reserved.PROJECT, each.id)) is None:
            session.add(ProjectMember(project_id=reserved.PROJECT, account_id=each.id, login=each.login, added_at=now))
    session.execute(
        delete(ProjectColumn).where(
            ProjectColumn.project_id == reserved.PROJECT, ProjectColumn.snapshot_id != manifest.id
        )
    )
    known = ProjectColumn.project_id == reserved.PROJECT
    if session.scalar(select(ProjectColumn.id).where(known)) is None:
        for position, (name, state) in enumerate(((APPROVED, ColumnState.APPROVED), (CLOSED, ColumnState.REJECTED))):
            made = ProjectColumn(id=new_id("c"), project_id=reserved.PROJECT, snapshot_id=manifest.id, state=state)
            made.dataset_id, made.table_name, made.column_name = reserved.NAME, TABLE, name
            made.position, made.decided_by, made.decided_at = position, "system", now
            session.add(made)


def _pledges(session: Session, people: list[Account], ground: Ground, now: datetime) -> None:
    session.execute(delete(Pledge).where(Pledge.project_id == reserved.PROJECT))
    text = pledge.CURRENT
    for each in people:
        if each.login != reserved.DRILL or ground.pledged:
            made = Pledge(id=new_id("l"), project_id=reserved.PROJECT, account_id=each.id, version=text.version)
            made.text_sha256, made.signed_at = text.sha256, now
            session.add(made)
