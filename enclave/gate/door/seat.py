"""Whose terminal: a workspace is used from its seat alone (korea.md R28)."""

from __future__ import annotations

from enclave.forwarded import client_address
from enclave.gate.door.refused import explain
from enclave.gate.door.visit import Answer, Visit

LOOPBACK = "127.0.0.1"
FORWARDED = b"x-forwarded-for"


async def check_seat(visit: Visit) -> Answer | None:
    """Refuse whoever comes from another address than the seat's.

    A request without X-Forwarded-For did not come through the proxy: the hub looking whether the server is up. It is
    refused like any other, but is nothing to tell an auditor.
    """
    doorway = visit.doorway
    seat = doorway.screens.of(doorway.plan.workspace_id).seat
    address = address_of(visit)
    if seat in {"", address}:
        return None
    proxied = any(name == FORWARDED for name, _ in visit.headers)
    details = {"why": "address" if address else "unknown", "address": address, "seat": seat}
    return explain(visit, 403, "seat", event=("seat-refused", details) if proxied else None)


def address_of(visit: Visit) -> str:
    """Return the browser's address as our own proxies saw it."""
    sent = [value.decode("latin-1") for name, value in visit.headers if name == FORWARDED]
    return client_address(sent, LOOPBACK, visit.doorway.addresses.hops)
