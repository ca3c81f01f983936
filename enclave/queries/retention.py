"""What a purge of the log is decided on: the signed entries, and what became of the data they speak of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit.purge import ordered
from audit.reader import LogReader
from audit.tiles import WIDTH
from enclave.actions import Retention
from enclave.actor import Actor
from enclave.errors import NotFound
from enclave.model.data import Snapshot
from enclave.model.ends import Destruction
from enclave.model.logreview import ReviewPeriod
from enclave.model.project import Project
from enclave.model.retention import LogPurge
from enclave.model.workspace import Workspace
from enclave.policy.logreview.line import Line, read
from enclave.policy.people import check_is
from enclave.policy.retention import Data, Holding, Keeping
from enclave.roles import Role
from enclave.settings import Settings
from enclave.states import PeriodState, ProjectState, WorkspaceState
from enclave.store import Store


@dataclass(frozen=True)
class PurgeView:
    """One purge as people see it: the leaves [first, end), up to period `number`; who did what when."""

    id: str
    number: int
    first: int
    end: int
    proposed_by: str
    proposed_at: datetime
    approved_by: str
    approved_at: datetime | None
    ordered_at: datetime | None
    done_at: datetime | None
    reason: str

    @property
    def state(self) -> str:
        """How far it is: proposed, approved, ordered or done."""
        steps = (("done", self.done_at), ("ordered", self.ordered_at), ("approved", self.approved_at))
        return next((name for name, at in steps if at is not None), "proposed")


def keeping(settings: Settings) -> Keeping:
    """Return how long this installation keeps entries, by class."""
    years = (settings.keep_access_years, settings.keep_rights_years, settings.keep_data_years)
    return Keeping(dict(zip((Retention.ACCESS, Retention.RIGHTS, Retention.DATA), years, strict=True)))


def data(session: Session) -> Data:
    """Return what became of the pseudonymised data of each project and snapshot."""
    projects = {each.id: each for each in session.scalars(select(Project))}
    left, gone = _workspaces(session)
    found: dict[str, datetime | None] = {}
    for name, project in projects.items():
        over = project.state is ProjectState.ENDED and name not in left
        dates = [at for at in (project.ended_at, gone.get(name)) if at is not None]
        found[name] = max(dates) if over and dates else None
        if project.activated_at is None:
            # It never had data; the entry's own time counts.
            found[name] = project.created_at
    begun = [(each.activated_at, found[each.id]) for each in projects.values() if each.activated_at is not None]
    snapshots = [
        (each.received_at or each.published_at, each.withdrawn_at) for each in session.scalars(select(Snapshot))
    ]
    return Data(found, tuple(Holding(at, destroyed) for at, destroyed in (*begun, *snapshots)))


def _workspaces(session: Session) -> tuple[set[str], dict[str, datetime | None]]:
    """Return the projects with a workspace that is not destroyed, and when the last one of the others was."""
    there = Workspace.state != WorkspaceState.DESTROYED
    left = set(session.scalars(select(Workspace.project_id).where(there)))
    query = select(Workspace.project_id, func.max(Destruction.done_at))
    query = query.join(Destruction, Destruction.workspace_id == Workspace.id).group_by(Workspace.project_id)
    return left, {row[0]: row[1] for row in session.execute(query)}


def load_purge(session: Session, purge_id: str, *, lock: bool = False) -> LogPurge:
    """Return the row, locked if asked; raises `NotFound` (`log.purge-unknown`)."""
    query = select(LogPurge).where(LogPurge.id == purge_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(
            "log.purge-unknown",
            ko=f"{purge_id[:40]!a} 파기가 없습니다.",
            en=f"There is no purge {purge_id[:40]!a}.",
            remedy_ko="ansim retention list 에서 고르세요.",
            remedy_en="Choose one of `ansim retention list`.",
        )
    return found


def unsigned_before(session: Session, period: ReviewPeriod) -> int:
    """Return how many earlier periods are not signed yet."""
    earlier = (ReviewPeriod.number < period.number, ReviewPeriod.state != PeriodState.SIGNED)
    return session.scalar(select(func.count()).select_from(ReviewPeriod).where(*earlier)) or 0


def stretch(session: Session, period: ReviewPeriod) -> tuple[int, int]:
    """Return the leaves [first, end) that a purge up to a closed period would take: whole bundles of 256."""
    return ordered(session.connection()), (period.size or 0) // WIDTH * WIDTH


def lines(log: LogReader, first: int, end: int) -> Iterator[Line]:
    """Yield the signed entries of leaves [first, end)."""
    return (read(index, entry) for index, entry in log.entries(first, end - 1)) if first < end else iter(())


def view(found: LogPurge) -> PurgeView:
    """Return a purge as people see it."""
    return PurgeView(
        id=found.id,
        number=found.period.number,
        first=found.first_leaf,
        end=found.end_leaf,
        proposed_by=found.proposed_by,
        proposed_at=found.proposed_at,
        approved_by=found.approved_by or "",
        approved_at=found.approved_at,
        ordered_at=found.ordered_at,
        done_at=found.done_at,
        reason=found.reason,
    )


def purges(store: Store, actor: Actor) -> tuple[PurgeView, ...]:
    """Return all purges, newest first. Reviewers, auditors and whoever holds the machine. Raises `Denied`."""
    if not (actor.is_console or actor.is_system):
        check_is(actor, Role.REVIEWER, Role.AUDITOR)
    with store.read() as session:
        query = select(LogPurge).order_by(LogPurge.end_leaf.desc(), LogPurge.proposed_at.desc())
        return tuple(view(each) for each in session.scalars(query))
