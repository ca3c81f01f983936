"""Certificates and visits as pages and REST show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.certificate import CertificateFile, Signed
from enclave.errors import NotFound
from enclave.model.data import Dataset, Snapshot
from enclave.model.ends import Certificate, CertificateKind, Visit
from enclave.model.project import Project, ProjectColumn
from enclave.policy.allows import allows
from enclave.policy.ends import check_may_witness
from enclave.roles import Role
from enclave.store import Store

SEES_ALL = frozenset({Role.OPERATOR, Role.REVIEWER, Role.AUDITOR})


@dataclass(frozen=True)
class CertificateView:
    """One certificate; `sha256` is how the log names it, `witnesses` how many countersigned."""

    id: str
    kind: CertificateKind
    project_id: str
    project_title: str
    workspace_id: str
    account_id: str
    issued_at: datetime
    sha256: str
    witnesses: int
    may: frozenset[str] = frozenset()


@dataclass(frozen=True)
class VisitView:
    """One use of a workspace. `ended_at` is None while it goes on; `certificate_id` is set once one was issued."""

    id: str
    workspace_id: str
    project_id: str
    project_title: str
    seat: str
    started_at: datetime
    ended_at: datetime | None
    gpu_seconds: int
    certificate_id: str | None


def destructions(store: Store, actor: Actor, *, now: datetime) -> tuple[CertificateView, ...]:
    """Return the certificates of destruction that concern the actor, newest first.

    Those of the actor's own workspaces and projects, of data that the actor's organisation provided (stewards), and
    all of them for operators, reviewers and auditors.
    """
    provided = (
        select(ProjectColumn.project_id)
        .join(Snapshot, Snapshot.id == ProjectColumn.snapshot_id)
        .join(Dataset, Dataset.id == Snapshot.dataset_id)
        .where(Dataset.organisation_id == actor.organisation_id)
    )
    led = select(Project.id).where(Project.lead_id == actor.account_id)
    conditions: list[ColumnElement[bool]] = [
        Certificate.account_id == actor.account_id,
        Certificate.project_id.in_(led),
    ]
    if Role.DATA_STEWARD in actor.roles:
        conditions.append(Certificate.project_id.in_(provided))
    everything = bool(actor.roles & SEES_ALL) or actor.is_console
    query = select(Certificate).where(Certificate.kind == CertificateKind.DESTRUCTION)
    query = query if everything else query.where(or_(*conditions))
    with store.read() as session:
        found = session.scalars(query.order_by(Certificate.issued_at.desc(), Certificate.id)).all()
        return tuple(certificate_view(each, actor, now) for each in found)


def visits(store: Store, actor: Actor) -> tuple[VisitView, ...]:
    """Return the actor's own visits, newest first."""
    query = select(Visit, Certificate.id).outerjoin(Certificate, Certificate.visit_id == Visit.id)
    query = query.where(Visit.account_id == actor.account_id).order_by(Visit.started_at.desc(), Visit.id)
    with store.read() as session:
        return tuple(_visit_view(each, name) for each, name in session.execute(query))


def file_of(store: Store, actor: Actor, certificate_id: str, *, now: datetime) -> CertificateFile:
    """Return a certificate with its witnesses; raises `NotFound` if it is none of the actor's business."""
    with store.read() as session:
        found = load_certificate(session, certificate_id)
        own = found.account_id == actor.account_id
        if not own and found.id not in {each.id for each in destructions(store, actor, now=now)}:
            raise _unknown()
        return as_file(found)


def every(store: Store) -> tuple[tuple[str, CertificateFile], ...]:
    """Return all certificates with their ids, for filing."""
    with store.read() as session:
        return tuple((each.id, as_file(each)) for each in session.scalars(select(Certificate)))


def as_file(found: Certificate) -> CertificateFile:
    """Return the row as the file it is."""
    witnesses = tuple(Signed(each.document, each.signature) for each in found.witnesses)
    return CertificateFile(Signed(found.document, found.signature), witnesses)


def load_certificate(session: Session, certificate_id: str) -> Certificate:
    """Return the row; raises `NotFound` (`certificate.unknown`)."""
    found = session.get(Certificate, certificate_id)
    if found is None:
        raise _unknown()
    return found


def certificate_view(found: Certificate, actor: Actor | None = None, now: datetime | None = None) -> CertificateView:
    """Return the row as pages show it."""
    may = set()
    if actor is not None and now is not None and found.kind is CertificateKind.DESTRUCTION:
        fresh = all(each.account_id != actor.account_id for each in found.witnesses)
        may = {"witness"} if fresh and allows(check_may_witness, actor) else set()
    return CertificateView(
        id=found.id,
        kind=found.kind,
        project_id=found.project_id,
        project_title=found.project.title,
        workspace_id=found.workspace_id,
        account_id=found.account_id,
        issued_at=found.issued_at,
        sha256=found.sha256,
        witnesses=len(found.witnesses),
        may=frozenset(may),
    )


def _visit_view(found: Visit, certificate_id: str | None) -> VisitView:
    return VisitView(
        id=found.id,
        workspace_id=found.workspace_id,
        project_id=found.project_id,
        project_title=found.project.title,
        seat=found.seat,
        started_at=found.started_at,
        ended_at=found.ended_at,
        gpu_seconds=found.gpu_seconds,
        certificate_id=certificate_id,
    )


def _unknown() -> NotFound:
    return NotFound(
        "certificate.unknown",
        ko="그런 확인서가 없습니다.",
        en="There is no such certificate.",
        remedy_ko="확인서 목록에서 고르세요.",
        remedy_en="Choose one from the list of certificates.",
    )
