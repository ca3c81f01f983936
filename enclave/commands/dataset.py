"""Data sets and the snapshots that may be used of them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.event import Subjects
from deid import snapshot as snapshots
from deid.errors import KeyFileError, SnapshotDamaged
from deid.manifest import Manifest, dump
from deid.versions.held import entries, read_through
from deid.versions.keystore import KeyStore
from enclave import reserved
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.frame_drawing import FRAMES, SealedFrames, drawn_frames
from enclave.commands.samples import forget_originals, keep_sample
from enclave.commands.text_drawing import TEXTS, SealedTexts, drawn
from enclave.errors import Conflict, Denied, Invalid, NotFound
from enclave.model.data import Dataset, Snapshot
from enclave.model.people import Organisation
from enclave.policy.dataset import check_may_govern
from enclave.policy.publication import check_documented
from enclave.queries.dataset import (
    DatasetView,
    SnapshotView,
    dataset_view,
    load_dataset,
    load_snapshot,
    snapshot_view,
)
from enclave.snapshot_keys import unreadable
from enclave.states import SNAPSHOT, SnapshotState, check_transition
from enclave.store import Store

# Also the folder's name under /data in a workspace.
DATASET_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def register_dataset(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store,
    actor: Actor,
    *,
    dataset_id: str,
    organisation_id: str,
    title_ko: str,
    title_en: str,
    description: str,
    now: datetime,
) -> DatasetView:
    """Enter a data set of a providing organisation into the catalogue. Its data stewards, and the console.

    Raises `Denied`, `Invalid`, `NotFound` (`organisation.unknown`), `Conflict` (`dataset.taken`).
    """
    with store.write(intent(Action.DATASET_REGISTER, actor, ("dataset", dataset_id))) as tx:
        check_may_govern(present(tx.session, actor, now), organisation_id)
        require(("데이터셋 이름", "title", title_ko), ("설명", "description", description))
        if not DATASET_ID.fullmatch(dataset_id) or reserved.is_reserved(dataset_id):
            raise _bad_id(dataset_id)
        provider = tx.session.get(Organisation, organisation_id)
        if provider is None:
            raise _no_provider(organisation_id)
        if tx.session.get(Dataset, dataset_id) is not None:
            raise Conflict(
                "dataset.taken",
                ko=f"‘{dataset_id}’ 데이터셋이 이미 있습니다.",
                en=f"There is already a data set ‘{dataset_id}’.",
                remedy_ko="새 버전이라면 스냅샷으로 공개하세요.",
                remedy_en="Publish a new version as a snapshot.",
            )
        made = Dataset(
            id=dataset_id,
            organisation=provider,
            title_ko=title_ko,
            title_en=title_en or title_ko,
            description=description,
            created_at=now,
        )
        tx.session.add(made)
        tx.session.flush()
        tx.record(details={"provider": organisation_id})
        return dataset_view(made, actor)


def receive_snapshot(  # noqa: PLR0913 - keyword-only: one snapshot and what comes with it
    store: Store,
    actor: Actor,
    *,
    folder: Path,
    public_key: Ed25519PublicKey,
    now: datetime,
    texts: SealedTexts | None = None,
    frames: SealedFrames | None = None,
    key_store: KeyStore | None = None,
) -> SnapshotView:
    """Put a signed snapshot folder on record for its reviews, after checking signature, names and every file's hash.

    With the key store, images and signals are also decrypted, and the index held to them. It is not offered before
    `publication.offer`. `texts` is where the run kept its texts, with the seed of the sample, when the recipe asks for
    a sample review; `frames` the same for frames of images, with the source. The same one again changes nothing but
    where it lies. The provider's stewards, and the console. Raises `Denied` (`snapshot.damaged`; not entitled),
    `NotFound` (`dataset.unknown`), `Conflict` (`snapshot.other-provider`; withdrawn or sent back before), `Invalid`
    (`publication.undocumented`, `sample.…`), `Unavailable` (`keys.unreadable`).
    """
    event = intent(Action.SNAPSHOT_RECEIVE, actor, ("snapshot", folder.name))
    # Outside the transaction: hashing gigabytes must not hold the database.
    with store.prepare(event):
        manifest = _verified(folder, public_key, key_store)
        check_documented(manifest)
        # Its sample was drawn when it was received; the private folder is gone since.
        fresh = not _is_received(store, manifest.id)
        sample = drawn(manifest, texts) if fresh else None
        pictures = drawn_frames(manifest, frames) if fresh else None
    with store.write(event) as tx:
        dataset = load_dataset(tx.session, manifest.dataset)
        check_may_govern(present(tx.session, actor, now), dataset.organisation_id)
        if manifest.provider != dataset.organisation_id:
            raise _other_provider(manifest, dataset)
        tx.record(object_sha256=manifest.id, subjects=_subjects(manifest), details={"dataset": dataset.id})
        found = tx.session.get(Snapshot, manifest.id)
        if found is None:
            found = Snapshot(id=manifest.id, dataset=dataset, manifest=dump(manifest)[1], published_at=now)
            found.published_by, found.state = actor.account_id, SnapshotState.RECEIVED
            found.received_by, found.received_at = actor.account_id, now
            found.path = str(folder.absolute())
            tx.session.add(found)
            tx.session.flush()
            if sample is not None:
                keep_sample(tx.session, TEXTS, found.id, sample, now)
            if pictures is not None:
                keep_sample(tx.session, FRAMES, found.id, pictures, now)
        elif found.state is not SnapshotState.PUBLISHED and found.state is not SnapshotState.RECEIVED:
            check_transition(SNAPSHOT, found.state, SnapshotState.RECEIVED, f"스냅샷 {manifest.id[:12]}")
        found.path = str(folder.absolute())
        tx.session.flush()
        return snapshot_view(found, actor)


def withdraw_snapshot(  # noqa: PLR0913 - keyword-only
    store: Store, actor: Actor, *, snapshot_id: str, reason: str, now: datetime, running_stay: bool = False
) -> SnapshotView:
    """Stop all further use of a snapshot: no new application, no new start. The provider's stewards, the console.

    What runs with it is stopped by the next sweep, its files kept; with `running_stay` it ends at its next start.
    Raises `Denied`, `NotFound`, `Conflict`, `Invalid`.
    """
    with store.write(intent(Action.SNAPSHOT_WITHDRAW, actor, ("snapshot", snapshot_id))) as tx:
        found = load_snapshot(tx.session, snapshot_id, lock=True)
        check_may_govern(present(tx.session, actor, now), found.dataset.organisation_id)
        require(("사유", "reason", reason))
        check_transition(SNAPSHOT, found.state, SnapshotState.WITHDRAWN, f"스냅샷 {snapshot_id[:12]}")
        found.state, found.withdrawn_at, found.withdraw_reason = SnapshotState.WITHDRAWN, now, reason
        found.running_stay = running_stay
        forget_originals(tx.session, snapshot_id)
        ends = "next-start" if running_stay else "now"
        tx.record(object_sha256=snapshot_id, details={"reason_sha256": text_sha256(reason), "mounts_end": ends})
        return snapshot_view(found, actor)


def end_running(store: Store, actor: Actor, *, snapshot_id: str, reason: str, now: datetime) -> SnapshotView:
    """Stop now what still runs with a withdrawn snapshot that was to end at the next start. As `withdraw_snapshot`.

    Raises `Denied`, `NotFound`, `Invalid`, `Conflict` (`snapshot.ended-already`: nothing may run with it as it is).
    """
    with store.write(intent(Action.SNAPSHOT_END_RUNNING, actor, ("snapshot", snapshot_id))) as tx:
        found = load_snapshot(tx.session, snapshot_id, lock=True)
        check_may_govern(present(tx.session, actor, now), found.dataset.organisation_id)
        require(("사유", "reason", reason))
        if not found.running_stay:
            raise _ended_already(snapshot_id)
        found.running_stay = False
        tx.record(object_sha256=snapshot_id, details={"reason_sha256": text_sha256(reason)})
        return snapshot_view(found, actor)


def _ended_already(snapshot_id: str) -> Conflict:
    return Conflict(
        "snapshot.ended-already",
        ko=f"스냅샷 {snapshot_id[:12]}으로 계속 도는 작업공간이 없습니다.",
        en=f"Nothing may run on with snapshot {snapshot_id[:12]} as it is.",
        remedy_ko="쓰이지 않게 하려면 스냅샷을 철회하세요.",
        remedy_en="Withdraw the snapshot if it shall not be used.",
    )


def _is_received(store: Store, snapshot_id: str) -> bool:
    with store.read() as session:
        return session.get(Snapshot, snapshot_id) is not None


def _verified(folder: Path, public_key: Ed25519PublicKey, key_store: KeyStore | None) -> Manifest:
    try:
        manifest = snapshots.verify(folder, public_key)
        if key_store is not None and entries(manifest):
            read_through(folder, manifest, key_store.of(manifest))
    except KeyFileError as error:
        raise unreadable(error) from error
    except SnapshotDamaged as error:
        raise Denied(
            "snapshot.damaged",
            ko=error.ko,
            en=error.en,
            remedy_ko=error.remedy_ko,
            remedy_en=error.remedy_en,
        ) from error
    return manifest


def _subjects(manifest: Manifest) -> Subjects:
    return Subjects(max((table.subjects for table in manifest.tables.values()), default=0), "pseudonymised")


def _no_provider(organisation_id: str) -> NotFound:
    return NotFound(
        "organisation.unknown",
        ko=f"‘{organisation_id}’ 기관이 없습니다.",
        en=f"There is no organisation ‘{organisation_id}’.",
        remedy_ko="먼저 제공기관을 등록하세요.",
        remedy_en="Register the providing organisation first.",
    )


def _bad_id(dataset_id: str) -> Invalid:
    return Invalid(
        "name.malformed",
        ko=f"데이터셋 식별자 ‘{dataset_id[:64]}’은(는) 쓸 수 없습니다.",
        en=f"The data set id ‘{dataset_id[:64]}’ cannot be used.",
        remedy_ko="영문 소문자, 숫자, 붙임표, 밑줄만 쓰세요.",
        remedy_en="Use lower-case letters, digits, hyphens and underscores.",
    )


def _other_provider(manifest: Manifest, dataset: Dataset) -> Conflict:
    return Conflict(
        "snapshot.other-provider",
        ko=f"스냅샷의 제공기관 ‘{manifest.provider}’이(가) 데이터셋의 제공기관 ‘{dataset.organisation_id}’와 다릅니다.",
        en=f"The snapshot's provider ‘{manifest.provider}’ is not the data set's, ‘{dataset.organisation_id}’.",
        remedy_ko="가명처리 계획의 제공기관을 고쳐 다시 만드세요.",
        remedy_en="Mend the provider in the recipe and build it again.",
    )
