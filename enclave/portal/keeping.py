"""Requests that nobody moves: closed when their time is over, told of when a review runs late."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from enclave import clock
from enclave.actor import Actor
from enclave.commands import upkeep
from enclave.errors import EnclaveError
from enclave.portal.parts import Portal
from enclave.queries import egress

LOG = logging.getLogger("ansim.portal.keeping")


def keep_requests(portal: Portal) -> list[str]:
    """Expire what lay too long, escalate what is late; returns the requests that were touched."""
    now, system = clock.now(), Actor.system()

    def expire(request_id: str) -> None:
        upkeep.expire(portal.store, portal.depot, system, request_id=request_id, now=now)

    def escalate(request_id: str) -> None:
        upkeep.escalate(portal.store, system, request_id=request_id, now=now)

    idle = _each(egress.idle(portal.store, now=now), expire)
    return idle + _each(egress.to_escalate(portal.store, now=now), escalate)


def _each(request_ids: Iterable[str], act: Callable[[str], None]) -> list[str]:
    """Act on each; one that is refused (somebody was quicker, the database is locked) waits for the next turn."""
    done = []
    for request_id in request_ids:
        try:
            act(request_id)
        except EnclaveError as error:
            LOG.warning("request %s: %s", request_id, error.code)
        else:
            done.append(request_id)
    return done
