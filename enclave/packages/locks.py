"""Hash locks as text: name, version and SHA-256 in each line."""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

LINE = re.compile(r"([A-Za-z0-9._-]+)==(\S+)\s+--hash=sha256:([0-9a-f]{64})")


def read_lock(text: str) -> list[tuple[str, str, str]]:
    """Return (name, version, SHA-256) of each line of a hash lock."""
    return [(canonicalize_name(name), version, sha256) for name, version, sha256 in LINE.findall(text)]


def pins_of(lock: str) -> frozenset[str]:
    """Return the SHA-256 of every wheel of a lock."""
    return frozenset(sha256 for _, _, sha256 in read_lock(lock))
