"""HTML documents on their way to the browser: what we change in them."""

from __future__ import annotations

from collections.abc import Callable

from enclave.gate.door.inject import seal
from enclave.gate.door.visit import Visit

Rewrite = Callable[[Visit, bytes], bytes]
# Each gets a whole HTML document that the notebook server answered with 200, and returns what the browser gets.
REWRITES: tuple[Rewrite, ...] = (seal,)


def rewrite(visit: Visit, document: bytes) -> bytes:
    """Return the document after all changes, in order."""
    for change in REWRITES:
        document = change(visit, document)
    return document
