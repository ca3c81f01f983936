"""One account, one seat: sessions are good where they were made, and only where the account is (korea.md R11, R28)."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from enclave import clock
from enclave.actor import Actor
from enclave.commands import desk
from enclave.errors import Denied, EnclaveError
from enclave.policy.desk import Place, check_place, is_fresh
from enclave.portal import closing, refusals
from enclave.portal.parts import Portal
from enclave.portal.session import Session
from enclave.queries import people
from enclave.queries.desk import seat_of

LOG = logging.getLogger("ansim.portal")


def come_in(portal: Portal, session: Session, now: datetime) -> None:
    """Claim the account's seat for a new session, or leave it outside; either way there is an entry."""
    actor = people.actor(portal.store, session.login, ip=session.address, session_id=session.public_id, now=now)
    try:
        desk.come_in(portal.store, actor, browser=session.browser, now=now)
    except Denied as error:
        if error.code != "seat.elsewhere":
            portal.sessions.close(session.id)
            raise


def check_made_here(portal: Portal, session: Session, actor: Actor, now: datetime) -> None:
    """End a session that is used from another address than the one it was made at. Raises: Denied."""
    if actor.ip != session.address:
        portal.sessions.close(session.id)
        desk.refuse_elsewhere(portal.store, actor, made_at=session.address, now=now)


def check(portal: Portal, session: Session, actor: Actor) -> None:
    """Raise `SeatElsewhere` unless the account is where this session is: at this address, in this browser."""
    here = Place(session.address, session.browser)
    try:
        check_place(seat_of(portal.store, actor.account_id) or here, here)
    except Denied as error:
        raise refusals.seat_elsewhere(error) from error


def at_seat(portal: Portal, actor: Actor) -> Actor:
    """Return the actor at the address that the hub named, else at the account's seat."""
    seat = seat_of(portal.store, actor.account_id)
    return replace(actor, ip=actor.ip or (seat.address if seat else ""))


def begin_screen(portal: Portal, actor: Actor, workspace_id: str) -> None:
    """Let a starting workspace's screen be open if its owner has only just proved themselves, else locked.

    Raises: EnclaveError if the gate was not told; then nothing may start.
    """
    now = clock.now()
    fresh = is_fresh(seat_of(portal.store, actor.account_id), now, portal.settings.idle_lock_minutes)
    locked, attended = portal.gate.screen(workspace_id).locked, portal.sessions.attended(actor.login, actor.ip, now)
    if locked and (fresh or attended):
        desk.mark_unlocked(portal.store, workspace_id=workspace_id, now=now)
        portal.gate.unlock(workspace_id, actor.ip)
    elif not (locked or fresh or attended):
        portal.gate.lock(workspace_id)
        desk.mark_locked(portal.store, workspace_id=workspace_id, why="start", now=now)


def follow(portal: Portal, actor: Actor) -> None:
    """Take an account's running workspaces to its seat of now; with a gate that is away they stay at the old one."""
    for workspace_id in closing.open_of(portal, actor.login):
        try:
            if portal.gate.screen(workspace_id).seat not in {"", actor.ip}:
                portal.gate.move_seat(workspace_id, actor.ip)
        except EnclaveError as error:
            LOG.warning("workspace %s stays at its old seat: %s", workspace_id, error.code)
