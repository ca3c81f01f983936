"""Whose address a request comes from, when proxies of ours stand in between. Pure.

Each proxy adds to `X-Forwarded-For` the address it saw, at the end. What a browser wrote there itself therefore
stands before what our own proxies wrote, and counting from the end cannot be deceived. `X-Real-Ip` and the like are
never read: nobody of ours writes them, so whoever sends them made them up.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

NOBODY = ""


def client_address(forwarded: Iterable[str], peer: str, hops: int) -> str:
    """Return the client's address in its one spelling, or "" (`NOBODY`) if it cannot be told.

    `forwarded`: every X-Forwarded-For header in order; without any, somebody on this machine speaks to us directly and
    is the `peer`. `hops`: how many trusted proxies stand before our own (`Settings.trusted_proxies`).
    """
    entries = [part.strip() for value in forwarded for part in value.split(",")]
    if not entries:
        return plain(peer)
    return plain(entries[-1 - hops]) if len(entries) > hops else NOBODY


def plain(text: str) -> str:
    """Return an IP address as everybody writes it (IPv4 inside IPv6 as IPv4), or "" for anything else."""
    try:
        found = ip_address(text)
    except ValueError:
        return NOBODY
    if isinstance(found, IPv6Address):
        if found.scope_id:
            return NOBODY
        found = found.ipv4_mapped or found
    return str(found)
