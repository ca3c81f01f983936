"""Time stamps over the log's checkpoints (RFC 3161): asked for over the network, or by a file that is carried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from audit.anchors import Anchors
from audit.errors import StampError
from audit.note import Checkpoint, split_note
from audit.reader import LogReader
from audit.stamps import Stamp, Stamping, check_stamp, stamp_query, stamping_from
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent
from enclave.commands.anchoring import as_refusal, log_key
from enclave.errors import Conflict
from enclave.policy.anchors import check_may_anchor
from enclave.settings import Settings
from enclave.store import Store

# An answer that was carried belongs to one of so many newest checkpoints without a stamp.
_LOOK_BACK = 60


@dataclass(frozen=True)
class Stamped:
    """A time stamp that was taken in: the checkpoint's size and what the stamp states."""

    size: int
    stamp: Stamp


def ask_stamp(
    store: Store,
    settings: Settings,
    actor: Actor,
    *,
    now: datetime,  # noqa: ARG001 - every command takes it
) -> tuple[int, bytes]:
    """Keep the newest checkpoint; return its size and the request for its time stamp, DER, to be carried as a file.

    Console and system. Raises `Denied`, `Conflict` (`audit.*`), `Unavailable` (`log.folder`).
    """
    with store.write(intent(Action.LOG_STAMP_ASK, actor, ("log", settings.log_origin))) as tx:
        check_may_anchor(actor)
        with as_refusal():
            checkpoint = _keep_newest(settings)
        tx.record(details={"size": checkpoint.size})
    return checkpoint.size, stamp_query(str(checkpoint).encode())


def take_stamp(
    store: Store,
    settings: Settings,
    actor: Actor,
    *,
    token: bytes,
    now: datetime,  # noqa: ARG001 - every command takes it
) -> Stamped:
    """Keep a time stamp that came back, beside the checkpoint that it covers.

    Console and system. Raises `Denied`, `Conflict` (`audit.bad-stamp`, `log.no-tsa-certificate` …), `Unavailable`.
    """
    with store.write(intent(Action.LOG_STAMP, actor, ("log", settings.log_origin))) as tx:
        check_may_anchor(actor)
        with as_refusal():
            found = _find(settings, token)
            Anchors(settings.anchors).keep_stamp(found.size, token)
        tx.record(object_sha256=sha256(token).hexdigest(), details=_details(found))
    return found


def stamp_newest(
    store: Store,
    settings: Settings,
    actor: Actor,
    *,
    fetch: Callable[[bytes], bytes],
    now: datetime,  # noqa: ARG001 - every command takes it
) -> Stamped:
    """Have the newest checkpoint stamped: `fetch` carries the request (DER) to the authority and its answer back.

    Console and system. Raises `Denied`, `Conflict` (`audit.bad-stamp` …), `Unavailable` (`log.tsa`, `log.folder`).
    """
    event = intent(Action.LOG_STAMP, actor, ("log", settings.log_origin))
    with store.prepare(event):
        check_may_anchor(actor)
        with as_refusal():
            trusted = _trusted(settings)
            text = str(_keep_newest(settings)).encode()
        token = fetch(stamp_query(text))
        with as_refusal():
            stamp = check_stamp(token, text, trusted)
            size = int(text.split(b"\n")[1])
            Anchors(settings.anchors).keep_stamp(size, token)
    found = Stamped(size, stamp)
    with store.write(event) as tx:
        tx.record(object_sha256=sha256(token).hexdigest(), details=_details(found))
    return found


def _details(found: Stamped) -> dict[str, str | int | bool]:
    return {"size": found.size, "at": f"{found.stamp.at:%Y-%m-%dT%H:%M:%SZ}", "checked_by": found.stamp.checked_by}


def _keep_newest(settings: Settings) -> Checkpoint:
    anchors = Anchors(settings.anchors)
    return anchors.keep(LogReader(settings.log, anchors.policy(log_key(settings))).note)


def _find(settings: Settings, token: bytes) -> Stamped:
    anchors, trusted = Anchors(settings.anchors), _trusted(settings)
    waiting = [size for size in anchors.sizes()[-_LOOK_BACK:] if anchors.stamp(size) is None]
    refusal: StampError | None = None
    for size in reversed(waiting):
        text = split_note(anchors.note(size).decode())[0]
        try:
            return Stamped(size, check_stamp(token, text.encode(), trusted))
        except StampError as error:
            refusal = error
    raise refusal or _nothing_asked()


def _trusted(settings: Settings) -> Stamping:
    if not settings.tsa_certificate.exists():
        raise Conflict(
            "log.no-tsa-certificate",
            ko="시점확인기관의 인증서가 없습니다.",
            en="The certificate of the time-stamping authority is missing.",
            remedy_ko=f"그 기관이 게시한 PEM 파일을 {settings.tsa_certificate}에 두세요.",
            remedy_en=f"Put the PEM file that it publishes at {settings.tsa_certificate}.",
        )
    return stamping_from(str(settings.tsa_certificate)) or ()


def _nothing_asked() -> Conflict:
    return Conflict(
        "log.no-stamp-asked",
        ko="시점확인을 기다리는 확인점이 없습니다.",
        en="No checkpoint waits for a time stamp.",
        remedy_ko="먼저 ansim anchor stamp-ask 로 요청서를 만드세요.",
        remedy_en="Write a request first: ansim anchor stamp-ask.",
    )
