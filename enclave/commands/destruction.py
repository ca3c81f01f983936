"""The end of a workspace's volumes: wished for, keys destroyed, images removed, certified (korea.md R29, R32).

Each step is a command that may be given again. The wish is durable first; then the keys go, so that a crash leaves
what cannot be read rather than what can; the gate removes the images; and only then, in the transaction that records
it as done, the certificate comes to be. `enclave.portal.destroying` takes the steps and takes up what a crash left.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from enclave import certificate
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import check_system, intent, present
from enclave.commands.certifying import certificate_row, moment
from enclave.commands.volume_key import keys_of
from enclave.errors import Conflict, NotFound
from enclave.ids import new_id
from enclave.model.ends import Certificate, CertificateKind, CertificateWitness, Destruction
from enclave.model.workspace import Workspace
from enclave.policy import ends as policy
from enclave.policy.people import check_second_factor_fresh
from enclave.queries.certificates import CertificateView, certificate_view, load_certificate
from enclave.queries.ends import frozen_facts
from enclave.queries.workspace import load_workspace
from enclave.states import WORKSPACE, WorkspaceState, check_transition
from enclave.store import Store

METHOD = {
    "ko": "볼륨마다 따로 만든 암호키의 파기(암호적 삭제) 후 볼륨 이미지 파일의 제거",
    "en": "Destruction of each volume's own encryption key (cryptographic erasure), then removal of the volume's image",
}


def request(store: Store, actor: Actor, *, workspace_id: str, now: datetime) -> None:
    """Ask for the destruction of a workspace whose grace is over; asking twice is one wish. The system.

    Raises `Denied`, `NotFound`, `Conflict` (`ends.not-due`).
    """
    with store.write(intent(Action.DESTRUCTION_REQUESTED, actor, ("workspace", workspace_id), outcome="allowed")) as tx:
        check_system(actor)
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id)
        policy.check_due(frozen_facts(found), now)
        if tx.session.get(Destruction, workspace_id) is None:
            tx.session.add(Destruction(workspace_id=workspace_id, requested_by=actor.account_id, requested_at=now))


def destroy_keys(store: Store, actor: Actor, *, workspace_id: str, now: datetime) -> None:
    """Destroy the keys of a workspace whose destruction was asked for; doing it twice is fine. The system.

    Raises `Denied`, `Conflict` (`destruction.not-asked`).
    """
    with store.write(intent(Action.VOLUME_KEY_DESTROY, actor, ("workspace", workspace_id))) as tx:
        check_system(actor)
        wish = _wish(tx.session, workspace_id)
        tx.record(project=wish.workspace.project_id)
        keys = [key for key in keys_of(tx.session, workspace_id).values() if key.sealed is not None]
        for key in keys:
            key.sealed, key.destroyed_at = None, now
        wish.keys_at = wish.keys_at or now
        tx.record(details={"keys": len(keys)})


def finish(  # noqa: PLR0913 - keyword-only facts of one certificate
    store: Store, key: Ed25519PrivateKey, actor: Actor, *, workspace_id: str, enclave: str, now: datetime
) -> CertificateView:
    """Record that the images are gone, and certify it. To be given only after the gate has said so. The system.

    Raises `Denied`, `Conflict` (`destruction.not-asked`; `destruction.keys-left`; done before).
    """
    with store.write(intent(Action.DESTRUCTION_DONE, actor, ("workspace", workspace_id))) as tx:
        check_system(actor)
        wish = _wish(tx.session, workspace_id)
        found = load_workspace(tx.session, workspace_id, lock=True)
        tx.record(project=found.project_id)
        if wish.keys_at is None or any(each.sealed is not None for each in keys_of(tx.session, workspace_id).values()):
            raise _keys_left(workspace_id)
        check_transition(WORKSPACE, found.state, WorkspaceState.DESTROYED, f"작업공간 {workspace_id}")
        found.state, wish.done_at = WorkspaceState.DESTROYED, now
        made = _certificate(tx.session, found, wish, enclave, key)
        tx.session.add(made)
        tx.session.flush()
        tx.record(object_sha256=made.sha256, details={"certificate": made.id})
        return certificate_view(made)


def witness(
    store: Store, key: Ed25519PrivateKey, actor: Actor, *, certificate_id: str, now: datetime
) -> CertificateView:
    """Countersign a certificate of destruction, as a second person with a fresh second factor.

    A data steward or an auditor. Raises `Denied`, `NotFound`, `Conflict` (`certificate.witnessed`; of another kind).
    """
    with store.write(intent(Action.CERTIFICATE_WITNESS, actor, ("certificate", certificate_id))) as tx:
        found = load_certificate(tx.session, certificate_id)
        tx.record(project=found.project_id, object_sha256=found.sha256)
        acting = present(tx.session, actor, now)
        policy.check_may_witness(acting)
        check_second_factor_fresh(acting, now)
        if any(each.account_id == acting.account_id for each in found.witnesses):
            raise _witnessed()
        if found.kind is not CertificateKind.DESTRUCTION:
            raise NotFound("certificate.unknown", ko="파기확인서가 아닙니다.", en="This certifies no destruction.")
        fields = {
            "witness": acting.account_id,
            "login": acting.login,
            "role": acting.role_names,
            "organisation": acting.organisation_id,
            "at": moment(now),
        }
        signed = certificate.sign_witness(fields, found.document, key)
        found.witnesses.append(
            CertificateWitness(
                account_id=acting.account_id, signed_at=now, document=signed.document, signature=signed.signature
            )
        )
        tx.session.flush()
        return certificate_view(found)


def _certificate(
    session: Session, found: Workspace, wish: Destruction, enclave: str, key: Ed25519PrivateKey
) -> Certificate:
    name = new_id("d")
    at = wish.done_at or wish.requested_at
    signed = certificate.sign(_fields(session, found, wish, enclave, name), key)
    return certificate_row(name, CertificateKind.DESTRUCTION, found, signed, at)


def _fields(session: Session, found: Workspace, wish: Destruction, enclave: str, name: str) -> Mapping[str, Any]:
    data = sorted({(column.dataset_id, column.snapshot_id) for column in found.project.columns})
    keys = sorted(keys_of(session, found.id).items())
    return {
        "kind": CertificateKind.DESTRUCTION.value,
        "id": name,
        "enclave": enclave,
        "issued_at": moment(wish.done_at),
        "project": found.project_id,
        "workspace": found.id,
        "account": found.account_id,
        "cause": str(found.freeze_cause),
        "data": [{"dataset": dataset, "snapshot": snapshot} for dataset, snapshot in data],
        "volumes": [{"id": f"{found.id}/{volume}", "key": row.key_id} for volume, row in keys],
        "method": METHOD,
        "operator": wish.requested_by,
        "requested_at": moment(wish.requested_at),
        "keys_destroyed_at": moment(wish.keys_at),
        "volumes_removed_at": moment(wish.done_at),
    }


def _wish(session: Session, workspace_id: str) -> Destruction:
    found = session.get(Destruction, workspace_id, with_for_update=True)
    if found is None:
        raise Conflict(
            "destruction.not-asked",
            ko=f"작업공간 {workspace_id}의 파기는 요청되지 않았습니다.",
            en=f"Nobody asked for the destruction of workspace {workspace_id}.",
            remedy_ko="유예 기간이 끝나면 시스템이 요청합니다.",
            remedy_en="The system asks for it when the grace period is over.",
        )
    return found


def _keys_left(workspace_id: str) -> Conflict:
    return Conflict(
        "destruction.keys-left",
        ko=f"작업공간 {workspace_id}의 볼륨 키가 아직 남아 있습니다.",
        en=f"Keys of workspace {workspace_id} are still there.",
        remedy_ko="키를 먼저 파기해야 합니다.",
        remedy_en="They have to be destroyed first.",
    )


def _witnessed() -> Conflict:
    return Conflict(
        "certificate.witnessed",
        ko="이미 입회 확인을 했습니다.",
        en="You have countersigned this already.",
        remedy_ko="더 할 일은 없습니다.",
        remedy_en="There is nothing left to do.",
    )
