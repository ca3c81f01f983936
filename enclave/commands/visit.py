"""The certificate of use of one visit (이용확인서, korea.md R34): signed, for the person who was there."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave import certificate
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present
from enclave.commands.certifying import certificate_row, moment
from enclave.errors import Conflict, NotFound
from enclave.ids import new_id
from enclave.model.ends import Certificate, CertificateKind, Visit
from enclave.queries.certificates import CertificateView, certificate_view
from enclave.queries.gpu import gpu_seconds
from enclave.queries.workspace import load_workspace
from enclave.store import Store


def issue_certificate(  # noqa: PLR0913 - keyword-only facts of one certificate
    store: Store, key: Ed25519PrivateKey, actor: Actor, *, visit_id: str, enclave: str, now: datetime
) -> CertificateView:
    """Certify one of the actor's own visits; asked for again, it is the same certificate.

    Raises `NotFound` (`visit.unknown`), `Conflict` (`visit.open`: it goes on), `Denied`.
    """
    with store.write(intent(Action.CERTIFICATE_ISSUE, actor, ("visit", visit_id))) as tx:
        acting = present(tx.session, actor, now)
        visit = tx.session.get(Visit, visit_id, with_for_update=True)
        if visit is None or visit.account_id != acting.account_id:
            raise _unknown()
        tx.record(project=visit.project_id)
        if visit.ended_at is None:
            raise _open()
        found = tx.session.scalar(select(Certificate).where(Certificate.visit_id == visit_id))
        if found is None:
            found = _certificate(tx.session, visit, visit.ended_at, key, enclave, now)
            tx.session.add(found)
            tx.session.flush()
        tx.record(object_sha256=found.sha256, details={"certificate": found.id})
        return certificate_view(found)


def _certificate(  # noqa: PLR0913, PLR0917 - the parts of one certificate
    session: Session, visit: Visit, ended_at: datetime, key: Ed25519PrivateKey, enclave: str, now: datetime
) -> Certificate:
    visit.gpu_seconds = gpu_seconds(session, visit.workspace_id, start=visit.started_at, end=ended_at)
    name = new_id("u")
    fields = {
        "kind": CertificateKind.USAGE.value,
        "id": name,
        "enclave": enclave,
        "issued_at": moment(now),
        "account": visit.account_id,
        "login": visit.account.login,
        "name": visit.account.name,
        "organisation": visit.account.organisation_id,
        "project": visit.project_id,
        "title": visit.project.title,
        "workspace": visit.workspace_id,
        "visit": visit.id,
        "seat": visit.seat,
        "started_at": moment(visit.started_at),
        "ended_at": moment(ended_at),
        "gpu_seconds": visit.gpu_seconds,
        "plan_sha256": visit.plan_sha256,
    }
    workspace = load_workspace(session, visit.workspace_id)
    made = certificate_row(name, CertificateKind.USAGE, workspace, certificate.sign(fields, key), now)
    made.visit_id = visit.id
    return made


def _unknown() -> NotFound:
    return NotFound(
        "visit.unknown",
        ko="그런 이용 기록이 없습니다.",
        en="There is no such visit.",
        remedy_ko="내 이용 기록에서 고르세요.",
        remedy_en="Choose one from the list of your visits.",
    )


def _open() -> Conflict:
    return Conflict(
        "visit.open",
        ko="아직 끝나지 않은 이용입니다.",
        en="This visit is not over yet.",
        remedy_ko="작업공간을 닫은 뒤 발급받으세요.",
        remedy_en="Close the workspace first.",
    )
