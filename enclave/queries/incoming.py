"""What came in, as pages, plans and the operator's command see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.airlock.report import FileReport, Verdict
from enclave.errors import NotFound
from enclave.model.egress import AirlockRequest
from enclave.model.incoming import Arrival, PackageSet, Upload
from enclave.model.project import Project
from enclave.policy.airlock import who
from enclave.policy.project import check_is_member, check_not_frozen
from enclave.queries.airlock_facts import facts, load_request, present_files
from enclave.queries.ends import is_project_frozen
from enclave.queries.project import facts as project_facts
from enclave.queries.project import load_project
from enclave.states import Direction, FileDecision, RequestState
from enclave.store import Store
from enclave.workspace.mounts import Brought

# The name under which a list of packages is asked for: no import may have it.
PACKAGES = "packages"


@dataclass(frozen=True)
class UploadView:
    """One uploaded file with its report; `size` in bytes."""

    id: str
    project_id: str
    name: str
    sha256: str
    size: int
    kind: str
    verdict: Verdict
    report: FileReport
    uploaded_at: datetime


@dataclass(frozen=True)
class ArrivalView:
    """One approved import of a project; `current`: it is what a workspace mounts under this name now."""

    id: str
    request_id: str
    project_id: str
    name: str
    tree_sha256: str
    files: int
    arrived_at: datetime
    recalled_at: datetime | None
    recall_reason: str | None
    current: bool


@dataclass(frozen=True)
class ApprovedFile:
    """A file that an approval let in: what it was called, and its bytes in quarantine."""

    name: str
    sha256: str
    kind: str


@dataclass(frozen=True)
class PackagesView:
    """What a project's workspaces mount under /packages, and the lock it was made of; empty if nothing."""

    tree_sha256: str = ""
    lock: str = ""
    made_at: datetime | None = None


def check_may_upload(store: Store, actor: Actor, project_id: str, *, now: datetime) -> None:
    """Raise `Denied` or `NotFound` unless the actor may bring files into this project, before any byte is taken."""
    with store.read() as session:
        found = load_project(session, project_id)
        who.check_may_submit(actor, project_facts(found), found.state, now)
        check_not_frozen(frozen=is_project_frozen(found))


def uploads(store: Store, actor: Actor, project_id: str, *, limit: int = 50) -> tuple[UploadView, ...]:
    """Return what the actor uploaded for a project, newest first."""
    query = select(Upload).where(Upload.project_id == project_id, Upload.account_id == actor.account_id)
    with store.read() as session:
        return tuple(
            upload_view(each) for each in session.scalars(query.order_by(Upload.uploaded_at.desc()).limit(limit))
        )


def uploads_of(store: Store, actor: Actor, project_id: str, ids: Sequence[str]) -> tuple[UploadView, ...]:
    """Return one's own uploads of a project by their ids, in this order; raises `NotFound` (`import.no-upload`)."""
    with store.read() as session:
        return tuple(upload_view(each) for each in load_uploads(session, actor, project_id, ids))


def arrivals(store: Store, actor: Actor, project_id: str) -> tuple[ArrivalView, ...]:
    """Return a project's approved imports, newest first. Members; raises `Denied`, `NotFound`."""
    with store.read() as session:
        check_is_member(actor, project_facts(load_project(session, project_id)))
        return arrivals_in(session, project_id)


def packages(store: Store, actor: Actor, project_id: str) -> PackagesView:
    """Return a project's packages. Members; raises `Denied`, `NotFound`."""
    with store.read() as session:
        check_is_member(actor, project_facts(load_project(session, project_id)))
        return packages_in(session, project_id)


def before(store: Store, actor: Actor, request_id: str, *, now: datetime) -> tuple[ApprovedFile, ...]:
    """Return the files of the last approved import of the same name, for a comparison; raises `Denied`, `NotFound`."""
    with store.read() as session:
        found = load_request(session, request_id)
        who.check_may_see(actor, facts(found, now))
        query = select(Arrival).where(
            Arrival.project_id == found.project_id,
            Arrival.name == name_of(found),
            Arrival.request_id != request_id,
            Arrival.arrived_at < found.submitted_at,
        )
        last = session.scalar(query.order_by(Arrival.arrived_at.desc()).limit(1))
        return approved_files(last.request) if last else ()


def trees(store: Store, actor: Actor, request_id: str, *, now: datetime) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return by file id what each file of a request would lay out or install, as its report lists it."""
    with store.read() as session:
        found = load_request(session, request_id)
        who.check_may_see(actor, facts(found, now))
        reports = {file.id: FileReport.from_json(file.report) for file in present_files(found) if file.report}
    return {
        file_id: next((each.rows for each in report.evidence if each.kind in {"tree", PACKAGES}), ())
        for file_id, report in reports.items()
    }


def to_lay_out(store: Store) -> tuple[str, ...]:
    """Return the ids of the imports that are approved and not laid out yet."""
    query = select(AirlockRequest.id).where(
        AirlockRequest.direction == Direction.IMPORT, AirlockRequest.state == RequestState.APPROVED
    )
    with store.read() as session:
        return tuple(session.scalars(query))


def wanted_packages(store: Store) -> dict[str, tuple[str, ...]]:
    """Return by project the SHA-256 of every approved list of packages, in the order of their approval."""
    query = select(Arrival.project_id).where(Arrival.name == PACKAGES, Arrival.recalled_at.is_(None)).distinct()
    with store.read() as session:
        return {project: lists_in(session, project) for project in session.scalars(query)}


def lists_in(session: Session, project_id: str) -> tuple[str, ...]:
    """Return the SHA-256 of a project's approved lists of packages, in the order of their approval."""
    query = select(Arrival).where(
        Arrival.name == PACKAGES, Arrival.project_id == project_id, Arrival.recalled_at.is_(None)
    )
    found = session.scalars(query.order_by(Arrival.arrived_at)).all()
    return tuple(file.sha256 for each in found for file in approved_files(each.request))


def approved_packages(store: Store, project_id: str) -> str:
    """Return the lock that a project's present packages were made of, empty if there are none."""
    with store.read() as session:
        return packages_in(session, project_id).lock


def brought(session: Session, project: Project) -> Brought:
    """Return what a workspace of this project mounts besides data."""
    current = {each.name: each.tree_sha256 for each in arrivals_in(session, project.id) if each.current}
    current.pop(PACKAGES, None)
    return Brought(current, packages_in(session, project.id).tree_sha256)


def arrivals_in(session: Session, project_id: str) -> tuple[ArrivalView, ...]:
    """Return a project's approved imports, newest first."""
    rows = session.scalars(
        select(Arrival).where(Arrival.project_id == project_id).order_by(Arrival.arrived_at.desc(), Arrival.id)
    ).all()
    first: dict[str, str] = {}
    for row in rows:
        if row.recalled_at is None:
            first.setdefault(row.name, row.id)
    return tuple(arrival_view(row, current=first.get(row.name) == row.id) for row in rows)


def packages_in(session: Session, project_id: str) -> PackagesView:
    """Return a project's newest set of packages; nothing if one of its lists was taken back since.

    Which wheels a set has of which list only its maker knows, so all wait until the operator has made it again.
    """
    query = select(PackageSet).where(PackageSet.project_id == project_id).order_by(PackageSet.made_at.desc()).limit(1)
    found = session.scalar(query)
    taken_back = select(func.max(Arrival.recalled_at)).where(Arrival.project_id == project_id, Arrival.name == PACKAGES)
    last = session.scalar(taken_back)
    if found is not None and last is not None and found.made_at <= last:
        return PackagesView()
    return PackagesView(found.tree_sha256, found.lock, found.made_at) if found else PackagesView()


def name_of(found: AirlockRequest) -> str:
    """Return the name an import is asked for under: that of its one group."""
    return next((group.name for group in found.groups if group.round == found.round), "")


def approved_files(found: AirlockRequest) -> tuple[ApprovedFile, ...]:
    """Return the files of the present round that its decision let through."""
    passed = [file for file in present_files(found) if file.outcome is FileDecision.APPROVED]
    return tuple(ApprovedFile(file.name, file.sha256, file.kind) for file in passed)


def load_uploads(session: Session, actor: Actor, project_id: str, ids: Sequence[str]) -> list[Upload]:
    """Return one's own uploads of a project in this order; raises `NotFound` (`import.no-upload`)."""
    query = select(Upload).where(
        Upload.id.in_(ids), Upload.project_id == project_id, Upload.account_id == actor.account_id
    )
    found = {each.id: each for each in session.scalars(query)}
    if missing := [one for one in ids if one not in found]:
        raise NotFound(
            "import.no-upload",
            ko=f"올린 파일 {missing[0][:40]!a}이(가) 없습니다.",
            en=f"There is no uploaded file {missing[0][:40]!a}.",
            remedy_ko="파일을 다시 올리세요.",
            remedy_en="Upload it again.",
        )
    return [found[one] for one in ids]


def upload_view(found: Upload) -> UploadView:
    """Return the row as pages show it."""
    return UploadView(
        found.id,
        found.project_id,
        found.name,
        found.sha256,
        found.size,
        found.kind,
        found.verdict,
        FileReport.from_json(found.report),
        found.uploaded_at,
    )


def arrival_view(found: Arrival, *, current: bool) -> ArrivalView:
    """Return the row as pages show it."""
    return ArrivalView(
        found.id,
        found.request_id,
        found.project_id,
        found.name,
        found.tree_sha256,
        found.files,
        found.arrived_at,
        found.recalled_at,
        found.recall_reason,
        current=current,
    )
