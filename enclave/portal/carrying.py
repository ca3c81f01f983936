"""Reports that need not be made again: the same name, bytes and rules, under the same checker (korea.md R68)."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import deid.detect
import enclave.airlock
from enclave.airlock.known import Known
from enclave.airlock.rules import CheckRules


def rules_sha256(rules: CheckRules, known: Known | None, stops: tuple[str, ...] = ()) -> str:
    """Return the name of all that a report depends on besides its file: rules, known values, the checks themselves.

    `stops`: the warnings that stop a file.
    """
    digest = sha256(_checks().encode() + rules.to_json().encode() + ",".join(stops).encode())
    if known is not None:
        digest.update(known.pseudonyms.tobytes() + b"|" + known.people.tobytes())
    return digest.hexdigest()


@cache
def _checks() -> str:
    """Return the hash of the checker's own code: what another version said is said anew."""
    folders = [Path(str(package.__file__)).parent for package in (enclave.airlock, deid.detect)]
    digest = sha256()
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
