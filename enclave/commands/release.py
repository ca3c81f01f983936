"""From an approval to the receiver: build the package, hand it over once, recall it (korea.md R70, R72).

The wish (`release.requested`) is durable before anything is written outside the database; a kill -9 in between leaves
a wish without a package, or a package nobody names. `reap` finishes the first and removes the second.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import file_digest
from pathlib import Path

from sqlalchemy import select

from enclave import workdays
from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock import package
from enclave.airlock.encryption import KEY_BYTES, ReleaseKey
from enclave.airlock.errors import AirlockError
from enclave.airlock.quarantine import Quarantine
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.moving import move
from enclave.errors import Denied, Unavailable
from enclave.model.egress import OutputFile
from enclave.model.release import RecallReceipt, Release
from enclave.policy.airlock import machine, votes, who
from enclave.policy.allows import allows
from enclave.policy.log_health import check_releases_carry_proof
from enclave.queries.airlock_facts import facts, load_release, present_files, present_round
from enclave.queries.airlock_shown import release_view
from enclave.queries.airlock_views import ReleaseView
from enclave.queries.log_health import lag_s
from enclave.queries.provider_policy import of_round
from enclave.settings import Settings
from enclave.states import RELEASE, FileDecision, FileRole, ReleaseState, RequestState, Verb, check_transition
from enclave.store import Store
from enclave.vault import Vault

SUFFIX = ".ansim"
# Korean working days in which a receiver is to confirm that what was recalled is gone.
CONFIRM_DAYS = 3


@dataclass(frozen=True)
class Depot:
    """Where packages lie and what opens them; `log`: the published log, without whose proof nothing leaves.

    `days` is how long a package waits for its receiver.
    """

    quarantine: Quarantine
    vault: Vault
    folder: Path
    log: Path
    days: int = 7

    @classmethod
    def load(cls, settings: Settings) -> Depot:
        """Return the depot of this installation; raises `Unavailable` when the vault's key is not there."""
        quarantine = Quarantine(settings.quarantine, limit=settings.max_file_bytes)
        return cls(quarantine, Vault.load(settings.vault_key), settings.releases, settings.log, settings.release_days)


@dataclass(frozen=True)
class HandedOver:
    """What the door streams to the receiver: `package.open_content(path, key)`, under `file_name`."""

    release: ReleaseView
    path: Path
    key: bytes
    file_name: str


@dataclass(frozen=True)
class _Order:
    """One package to be made: everything that was approved, read before the work begins."""

    release_id: str
    project_id: str
    files: Sequence[package.Approved]
    labels: package.Labels
    at_start: bool


def build(store: Store, depot: Depot, *, release_id: str, now: datetime, at_start: bool = False) -> ReleaseView:
    """Make the encrypted package of an approved request; the result is `done`, or `failed` with a code.

    `at_start` marks in the log what was left open by a portal that died and is finished by the next one.
    Trying a failed one again is allowed. Raises `Conflict` (already done, handed over or recalled), `NotFound`,
    `Denied` (`egress.two-person`: the votes do not carry it), `Unavailable` (nothing was done).
    """
    system = Actor.system()
    with store.prepare(intent(Action.RELEASE_FAILED, system, ("release", release_id))):
        order = _order(store, release_id, now, at_start=at_start)
    path = depot.folder / f"{release_id}-{secrets.token_hex(4)}{SUFFIX}"
    key = ReleaseKey(release_id, secrets.token_bytes(KEY_BYTES))
    try:
        made = package.build(path, order.files, order.labels, quarantine=depot.quarantine, key=key)
    except (AirlockError, OSError) as error:
        return _failed(store, order, _code(error), now)
    try:
        return _done(store, depot, order, (path, key, made), now)
    except BaseException:  # the database does not know this package: it must not stay
        path.unlink(missing_ok=True)
        raise


def hand_over(store: Store, depot: Depot, actor: Actor, *, release_id: str, now: datetime) -> HandedOver:
    """Give the package to its named receiver, once, with a second factor of the last 5 minutes.

    Raises `Denied` (`release.not-receiver`, `second-factor.stale`, `release.expired`; `project.*`, `ends.*`: not any
    more a member of a living project; `release.not-carried`: nor do the approvals carry), `Conflict` (not ready, handed
    over before, recalled), `NotFound`, `Unavailable` (`release.damaged`, `log.behind`: it stays to be handed over).
    """
    with store.write(intent(Action.RELEASE_HAND_OVER, actor, ("release", release_id))) as tx:
        found = load_release(tx.session, release_id, lock=True)
        acting = present(tx.session, actor, now)
        tx.record(project=found.request.project_id)
        who.check_may_receive(acting, found.receiver_id, now)
        check_transition(RELEASE, found.state, ReleaseState.HANDED_OVER, f"반출물 {release_id}")
        if found.expires_at is None or now >= found.expires_at:
            raise _expired(found)
        about = facts(found.request, now)
        who.check_may_collect(acting, about, now)
        votes.check_still_carried(about)
        check_releases_carry_proof(lag_s(tx.session, depot.log))
        path = Path(found.package_path or "")
        _check_whole(path, found.package_sha256)
        key = depot.vault.open(found.sealed_key or b"", purpose=f"release:{release_id}")
        found.state, found.handed_over_at = ReleaseState.HANDED_OVER, now
        tx.record(
            object_sha256=found.package_sha256,
            reason_code="approved",
            details={"request": found.request_id, "files": _file_count(found)},
        )
        return HandedOver(release_view(found, acting, now), path, key, f"{found.request_id}.zip")


def recall(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, depot: Depot, actor: Actor, *, release_id: str, reason: str, now: datetime
) -> ReleaseView:
    """Take a release back: its key is destroyed, the package removed; who has it already is to confirm that it is gone.

    Disinterested checkers and stewards of a provider. Raises `Denied`, `NotFound`, `Conflict`, `Invalid`.
    """
    with store.write(intent(Action.RELEASE_RECALL, actor, ("release", release_id))) as tx:
        found = load_release(tx.session, release_id, lock=True)
        acting = present(tx.session, actor, now)
        tx.record(project=found.request.project_id)
        machine.check(acting, facts(found.request, now), Verb.RECALL, now)
        require(("회수 사유", "reason", reason))
        check_transition(RELEASE, found.state, ReleaseState.RECALLED, f"반출물 {release_id}")
        handed_over = found.handed_over_at is not None
        tx.record(
            object_sha256=found.package_sha256,
            details={"reason_sha256": text_sha256(reason), "was_handed_over": handed_over},
        )
        found.state, found.recalled_at, found.recall_reason = ReleaseState.RECALLED, now, reason
        found.sealed_key = None
        move(found.request, Verb.RECALL, RequestState.RECALLED, now)
        if handed_over:
            due = workdays.after(now, CONFIRM_DAYS)
            found.receipts.append(RecallReceipt(account_id=found.receiver_id, told_at=now, due_at=due))
        tx.session.flush()
        view = release_view(found, acting, now)
        path = found.package_path
    # After the commit: a package whose key is gone is only noise, and `reap` removes what a crash leaves here.
    if path:
        (depot.folder / Path(path).name).unlink(missing_ok=True)
    return view


def confirm_recall(store: Store, actor: Actor, *, release_id: str, statement: str, now: datetime) -> ReleaseView:
    """Say that one's copies of a recalled release are gone, in words (korea.md R72). Whoever received it, once.

    Raises `Denied` (`release.nothing-to-confirm`), `NotFound`, `Invalid` (no statement).
    """
    with store.write(intent(Action.RELEASE_CONFIRM, actor, ("release", release_id))) as tx:
        found = load_release(tx.session, release_id, lock=True)
        acting = present(tx.session, actor, now)
        tx.record(project=found.request.project_id)
        mine = next((each for each in found.receipts if each.account_id == acting.account_id), None)
        if mine is None or mine.confirmed_at is not None:
            raise _nothing_to_confirm()
        require(("확인 내용", "statement", statement))
        mine.confirmed_at, mine.statement = now, statement
        tx.record(details={"statement_sha256": text_sha256(statement), "late": now >= mine.due_at})
        return release_view(found, acting, now)


def reap(store: Store, depot: Depot, *, now: datetime) -> tuple[ReleaseView, ...]:
    """Settle what a crash left open: build every requested release, remove every package no release names.

    Returns the releases it finished or failed. Called once when the portal starts, before anything else builds.
    Each release leaves its own entry (`release.done` or `release.failed`), the summary is `release.reap`.
    """
    with store.read() as session:
        waiting = session.scalars(select(Release).where(Release.state == ReleaseState.REQUESTED)).all()
        # One whose approvals no longer carry it is not built; a checker reopens its request.
        carried = [each.id for each in waiting if allows(_check_buildable, each, now)]
    settled = tuple(build(store, depot, release_id=release_id, now=now, at_start=True) for release_id in carried)
    with store.read() as session:
        alive = Release.state.not_in([ReleaseState.RECALLED, ReleaseState.CANCELLED])
        named = set(session.scalars(select(Release.package_path).where(alive)))
    orphans = [path for path in depot.folder.iterdir() if path.is_file() and str(path) not in named]
    if not settled and not orphans:
        return ()
    event = intent(Action.RELEASE_REAP, Actor.system(), ("release", "all"))
    with store.write(event) as tx:
        done = sum(one.state is ReleaseState.DONE for one in settled)
        tx.record(details={"finished": done, "failed": len(settled) - done, "packages_removed": len(orphans)})
    for path in orphans:
        path.unlink(missing_ok=True)
    return settled


def _order(store: Store, release_id: str, now: datetime, *, at_start: bool) -> _Order:
    with store.read() as session:
        found = load_release(session, release_id)
        _check_buildable(found, now)
        request = found.request
        files = [package.Approved(file.name, file.sha256) for file in _passed(found)]
        labels = package.Labels(
            request_id=request.id,
            project_id=request.project_id,
            receiver=found.receiver_id,
            released_at=now.isoformat(timespec="seconds"),
        )
        return _Order(release_id, request.project_id, files, labels, at_start)


def _passed(found: Release) -> list[OutputFile]:
    """Return what the decision let through: approved outputs of the present round, and nothing if there are none."""
    return [
        file
        for file in present_files(found.request)
        if file.role is FileRole.OUTPUT and file.outcome is FileDecision.APPROVED
    ]


def _check_buildable(found: Release, now: datetime) -> None:
    check_transition(RELEASE, found.state, ReleaseState.DONE, f"반출물 {found.id}")
    about = facts(found.request, now)
    machine.check(Actor.system(), about, Verb.RELEASE, now)
    # Asked again although the decision asked it: bytes leave on the votes themselves, not on a state's word.
    votes.check_carried(about, [file.id for file in _passed(found)])


def _days(depot: Depot, found: Release) -> int:
    under = of_round(present_round(found.request))
    return min(depot.days, under.release_days) if under is not None else depot.days


def _done(
    store: Store, depot: Depot, order: _Order, result: tuple[Path, ReleaseKey, package.Package], now: datetime
) -> ReleaseView:
    path, key, made = result
    event = intent(Action.RELEASE_DONE, Actor.system(), ("release", order.release_id), project=order.project_id)
    with store.write(event) as tx:
        found = load_release(tx.session, order.release_id, lock=True)
        _check_buildable(found, now)
        found.state, found.built_at, found.failure = ReleaseState.DONE, now, None
        found.package_path, found.package_sha256 = str(path), made.sha256
        found.sealed_key = depot.vault.seal(key.secret, purpose=f"release:{order.release_id}")
        found.expires_at = now + timedelta(days=_days(depot, found))
        move(found.request, Verb.RELEASE, RequestState.RELEASED, now)
        tx.record(
            object_sha256=made.sha256,
            details={
                "request": found.request_id,
                "files": len(order.files),
                "content_sha256": made.content_sha256,
                "at_start": order.at_start,
            },
        )
        return release_view(found, Actor.system(), now)


def _failed(store: Store, order: _Order, code: str, now: datetime) -> ReleaseView:
    event = intent(
        Action.RELEASE_FAILED,
        Actor.system(),
        ("release", order.release_id),
        project=order.project_id,
        outcome="failed",
    )
    with store.write(event) as tx:
        found = load_release(tx.session, order.release_id, lock=True)
        if found.state is ReleaseState.REQUESTED:
            found.state = ReleaseState.FAILED
        found.failure = code
        tx.record(reason_code=code, details={"request": found.request_id, "at_start": order.at_start})
        return release_view(found, Actor.system(), now)


def _code(error: AirlockError | OSError) -> str:
    return error.code if isinstance(error, AirlockError) else "release.not-written"


def _check_whole(path: Path, sha256: str | None) -> None:
    try:
        with path.open("rb") as file:
            whole = file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        whole = False
    if not whole:
        raise Unavailable(
            "release.damaged",
            ko="보관된 반출물이 만들 때와 다릅니다. 전달하지 않았습니다.",
            en="The stored package is not as it was made. Nothing was handed over.",
            remedy_ko="운영자에게 알려 주세요.",
            remedy_en="Tell an operator.",
        )


def _expired(found: Release) -> Denied:
    return Denied(
        "release.expired",
        ko=f"수령 기한이 지났습니다({found.expires_at:%Y-%m-%d}).",
        en=f"The time to collect it is over ({found.expires_at:%Y-%m-%d}).",
        remedy_ko="필요하면 다시 반출을 신청하세요.",
        remedy_en="Ask for it again if it is still needed.",
    )


def _file_count(found: Release) -> int:
    return len(_passed(found))


def _nothing_to_confirm() -> Denied:
    return Denied(
        "release.nothing-to-confirm",
        ko="이 반출물에 대해 확인할 것이 없습니다.",
        en="There is nothing for you to confirm about this release.",
        remedy_ko="회수 통지를 받은 수령인만 한 번 확인합니다.",
        remedy_en="Only a receiver who was told of the recall confirms, once.",
    )
