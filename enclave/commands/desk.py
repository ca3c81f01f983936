"""Taking and moving one's seat, locking the screen and opening it again (korea.md R11, R17, R28).

The gate enforces lock and seat; these commands decide and record, and the door that called them then tells the gate.
"""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import credentials
from enclave.commands.acting import intent, present
from enclave.model.desk import Seat
from enclave.model.workspace import Workspace
from enclave.policy import desk as policy
from enclave.policy.desk import Place
from enclave.policy.people import check_second_factor_fresh
from enclave.queries.desk import load_seat
from enclave.queries.workspace import WorkspaceView, load_workspace, no_workspace, workspace_view
from enclave.store import Store, Tx
from enclave.vault import Vault


def come_in(store: Store, actor: Actor, *, browser: str, now: datetime) -> None:
    """Let a signed-in browser in where its account is; the first one there claims the seat.

    Raises `Denied`: `seat.elsewhere`, `seat.unknown`.
    """
    with store.write(intent(Action.SEAT_TAKE, actor, ("account", actor.account_id))) as tx:
        acting = present(tx.session, actor, now)
        found = load_seat(tx.session, acting.account_id)
        here = Place(acting.ip, browser, now)
        policy.check_address(found, acting.ip)
        if found is None:
            sit(tx.session, acting.account_id, here)
        elif not found.browser:
            sit(tx.session, acting.account_id, Place(found.address, browser, found.since))
        else:
            policy.check_place(found, here)


def move_seat(store: Store, actor: Actor, *, browser: str, now: datetime) -> None:
    """Make this address and browser the account's seat; whatever it had open elsewhere ends.

    Raises `Denied`: `second-factor.stale`, `seat.unknown`.
    """
    with store.write(intent(Action.SEAT_MOVE, actor, ("account", actor.account_id))) as tx:
        acting = present(tx.session, actor, now)
        policy.check_known(acting.ip)
        check_second_factor_fresh(acting, now)
        before = load_seat(tx.session, acting.account_id)
        tx.record(details={"from": before.address if before else "", "to": acting.ip})
        sit(tx.session, acting.account_id, Place(acting.ip, browser, now))


def refuse_elsewhere(store: Store, actor: Actor, *, made_at: str, now: datetime) -> NoReturn:
    """Record that a session was used from another address than the one it was made at; raises `Denied`."""
    del now  # every command takes it
    with store.write(intent(Action.SEAT_REFUSED, actor, ("account", actor.account_id))) as tx:
        tx.record(details={"made_at": made_at})
        raise policy.elsewhere()
    raise AssertionError("unreachable")  # pragma: no cover - the block above always raises


def lock(store: Store, actor: Actor, *, workspace_id: str, now: datetime) -> WorkspaceView:
    """Lock the screen of one's own workspace; kernels go on. Raises `Denied`, `NotFound`, `Conflict`."""
    with store.write(intent(Action.SCREEN_LOCKED, actor, ("workspace", workspace_id))) as tx:
        found = _own(tx, actor, workspace_id, now)
        tx.record(details={"why": "asked"})
        return workspace_view(found, actor)


def mark_locked(store: Store, *, workspace_id: str, why: str, now: datetime) -> None:
    """Record that the gate locked a screen by itself (`why`: idle). Raises `NotFound`."""
    del now  # every command takes it
    with store.write(intent(Action.SCREEN_LOCKED, Actor.system(), ("workspace", workspace_id))) as tx:
        found = load_workspace(tx.session, workspace_id)
        tx.record(project=found.project_id, details={"why": why, "account": found.account_id})


def unlock(  # noqa: PLR0913 - keyword-only facts of one form
    store: Store, vault: Vault, actor: Actor, *, workspace_id: str, password: str | None, code: str, now: datetime
) -> Actor:
    """Prove oneself anew and open the screen of one's own workspace; returns the actor with a fresh second factor.

    `password` is None where an identity provider keeps it. Raises `Denied` (`account.wrong`, counted; `account.locked`;
    `seat.elsewhere`), `NotFound`, `Conflict`.
    """
    proven = credentials.prove_again(store, vault, actor, password=password, code=code, now=now)
    with store.write(intent(Action.SCREEN_UNLOCKED, proven, ("workspace", workspace_id))) as tx:
        found = _own(tx, proven, workspace_id, now)
        policy.check_address(load_seat(tx.session, found.account_id), proven.ip)
        tx.record(details={"why": "proved"})
        return proven


def mark_unlocked(store: Store, *, workspace_id: str, now: datetime) -> None:
    """Record that a workspace opens without its lock: its owner has only just proved themselves elsewhere."""
    del now  # every command takes it
    with store.write(intent(Action.SCREEN_UNLOCKED, Actor.system(), ("workspace", workspace_id))) as tx:
        found = load_workspace(tx.session, workspace_id)
        tx.record(project=found.project_id, details={"why": "start", "account": found.account_id})


def sit(session: Session, account_id: str, place: Place) -> None:
    """Write down where an account is."""
    session.merge(Seat(account_id=account_id, address=place.address, browser=place.browser, since=place.since))


def _own(tx: Tx, actor: Actor, workspace_id: str, now: datetime) -> Workspace:
    """Return the actor's own running workspace and note its project."""
    acting = present(tx.session, actor, now)
    found = load_workspace(tx.session, workspace_id)
    if found.account_id != acting.account_id:
        raise no_workspace(workspace_id)
    tx.record(project=found.project_id)
    policy.check_running(found.state)
    return found
