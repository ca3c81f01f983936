"""The log's copy in a store that does not let it be deleted: what is new is written, and what was hidden is told."""

from __future__ import annotations

import tomllib
from datetime import datetime

from audit.anchors import Anchors
from audit.reader import LogReader
from audit.worm import Bucket, Copied
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent
from enclave.commands.anchoring import as_refusal, log_key
from enclave.errors import Conflict
from enclave.policy.anchors import check_may_anchor
from enclave.settings import Settings
from enclave.store import Store


def copy_log(store: Store, settings: Settings, actor: Actor, *, now: datetime) -> Copied:
    """Bring what is new of the published log into the locked store; each run is one entry.

    Console and system. Raises `Denied`, `Conflict` (`audit.copy-unlocked`, `audit.copy-failed`, `log.no-store`),
    `Unavailable` (`log.folder`).
    """
    event = intent(Action.LOG_COPY, actor, ("log", settings.log_origin))
    with store.prepare(event):
        check_may_anchor(actor)
        with as_refusal():
            anchors = Anchors(settings.anchors)
            reader = LogReader(settings.log, anchors.policy(log_key(settings)))
            copied = bucket_of(settings).copy(reader, settings.log, anchors, now=now)
    with store.write(event) as tx:
        tx.record(
            details={
                "size": copied.size,
                "files": copied.files,
                "bytes": copied.bytes,
                "kept_until": f"{copied.until:%Y-%m-%d}",
                "hidden": copied.hidden,
            }
        )
    return copied


def bucket_of(settings: Settings) -> Bucket:
    """Return the configured store; raise `Conflict` (`log.no-store`) when settings or access key are not there."""
    try:
        key = tomllib.loads(settings.worm_key.read_text(encoding="utf-8"))
        access, secret = str(key["access_key"]), str(key["secret_key"])
    except (FileNotFoundError, KeyError, tomllib.TOMLDecodeError) as error:
        raise _no_store(settings) from error
    if not (settings.worm_endpoint and settings.worm_bucket):
        raise _no_store(settings)
    return Bucket(
        endpoint=settings.worm_endpoint,
        bucket=settings.worm_bucket,
        prefix=settings.worm_prefix,
        region=settings.worm_region,
        access_key=access,
        secret_key=secret,
        days=settings.worm_days,
        wait_s=settings.worm_wait_s,
    )


def _no_store(settings: Settings) -> Conflict:
    return Conflict(
        "log.no-store",
        ko="사본 저장소가 설정되지 않았습니다.",
        en="No store for the copy is configured.",
        remedy_ko=f"worm_endpoint, worm_bucket을 정하고 {settings.worm_key}에 access_key와 secret_key를 적으세요.",
        remedy_en=f"Set worm_endpoint and worm_bucket, and put access_key and secret_key into {settings.worm_key}.",
    )
