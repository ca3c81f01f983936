"""The log's checkpoints go out to witnesses, their cosignatures come in: each crossing is an entry.

The files are written before the entry's transaction ends. What is left behind by a crash in between is harmless: a
signed checkpoint says nothing that is not public, and a cosignature counts by its signature, whoever brought it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from audit.anchors import Anchors
from audit.bundle import Source
from audit.carry import Taken, hand_out, take_in
from audit.errors import AuditError
from audit.keyline import key_from
from audit.note import VerifierKey
from audit.policy import Policy
from audit.reader import LogReader
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, text_sha256
from enclave.errors import Conflict, Unavailable
from enclave.policy.anchors import check_may_anchor, check_may_appoint
from enclave.settings import Settings
from enclave.store import Store


def ask_witness(
    store: Store,
    settings: Settings,
    actor: Actor,
    *,
    drop: Path,
    now: datetime,  # noqa: ARG001 - every command takes it
) -> int:
    """Write into `drop` what a witness needs to cosign the newest checkpoint; return how many entries it covers.

    Console and system. Raises `Denied`, `Conflict` (`audit.*`, `witness.*`), `Unavailable` (`log.folder`).
    """
    with store.write(intent(Action.LOG_WITNESS_ASK, actor, ("log", settings.log_origin))) as tx:
        check_may_anchor(actor)
        with as_refusal():
            vkey = log_key(settings)
            anchors = Anchors(settings.anchors)
            size = hand_out(LogReader(settings.log, anchors.policy(vkey)), anchors, drop)
        tx.record(details={"size": size})
    return size


def take_cosignatures(
    store: Store,
    settings: Settings,
    actor: Actor,
    *,
    drop: Path,
    now: datetime,  # noqa: ARG001 - every command takes it
) -> Sequence[Taken]:
    """Add the cosignatures in `drop` to the kept checkpoints; return what was new.

    Console and system. Raises `Denied`, `Conflict` (`audit.*`, `witness.*`), `Unavailable` (`log.folder`).
    """
    with store.write(intent(Action.LOG_WITNESS, actor, ("log", settings.log_origin))) as tx:
        check_may_anchor(actor)
        with as_refusal():
            anchors = Anchors(settings.anchors)
            taken = take_in(anchors, anchors.policy(log_key(settings)), drop)
        largest = max(taken, key=lambda each: each.size, default=None)
        names = {name for each in taken for name in each.names}
        details: dict[str, str | int | bool] = {"checkpoints": len(taken), "witnesses": len(names)}
        if largest is not None:
            details |= {"size": largest.size, "quorum": largest.quorum}
        tx.record(details=details)
    return taken


def set_witness_policy(
    store: Store,
    settings: Settings,
    actor: Actor,
    *,
    text: str,
    now: datetime,  # noqa: ARG001 - every command takes it
) -> Policy:
    """Replace the policy of witnesses (C2SP tlog-policy); return it. Its first `log` line is the log's present key.

    Console. Raises `Denied`, `Conflict` (`audit.bad-policy`, `log.policy-key`), `Unavailable` (`log.folder`).
    """
    with store.write(intent(Action.LOG_POLICY, actor, ("log", settings.log_origin))) as tx:
        check_may_appoint(actor)
        with as_refusal():
            policy = Policy.parse(text)
            own = Policy.of_key(log_key(settings)).logs[0]
            # Newest first: verifiers read from it which key follows which.
            if policy.logs[:1] != (own,):
                raise _without_key(str(own))
            Anchors(settings.anchors).keep_policy(text)
        tx.record(
            object_sha256=text_sha256(text), details={"witnesses": len(policy.witnesses), "logs": len(policy.logs)}
        )
    return policy


def log_key(settings: Settings) -> VerifierKey:
    """Return the log's published key; raise `NoteError`."""
    return key_from(str(settings.keys / "log.pub"))


def evidence_source(settings: Settings) -> Source:
    """Return what evidence bundles are made of; raise `NoteError`."""
    return Source(settings.log, log_key(settings), settings.anchors, settings.tsa_certificate)


@contextmanager
def as_refusal() -> Iterator[None]:
    """Turn what the log's room refuses into a refusal of the enclave, which is an entry of its own."""
    try:
        yield
    except AuditError as error:
        raise Conflict(
            error.code, ko=error.ko, en=error.en, remedy_ko=error.remedy_ko, remedy_en=error.remedy_en
        ) from error
    except OSError as error:
        raise Unavailable(
            "log.folder",
            ko=f"폴더에 읽거나 쓸 수 없습니다: {error.filename}",
            en=f"The folder cannot be read or written: {error.filename}",
            remedy_ko="폴더의 소유자(ansim-app)와 남은 자리를 확인하세요.",
            remedy_en="Check the folder's owner (ansim-app) and its free space.",
        ) from error


def _without_key(line: str) -> Conflict:
    return Conflict(
        "log.policy-key",
        ko="정책 파일의 첫 log 줄이 이 로그의 지금 키가 아닙니다.",
        en="The first log line of the policy is not this log's present key.",
        remedy_ko=f"맨 앞에 다음 줄을 두고, 옛 키의 줄은 그 뒤에 남기세요: log {line}",
        remedy_en=f"Put this line first, and leave those of earlier keys after it: log {line}",
    )
