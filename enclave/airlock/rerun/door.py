"""The door to the comparison of a submitted file with what its code wrote again: two stored files in, an answer out."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path

from enclave.airlock.checker import shared_pool
from enclave.airlock.rerun.same import Same
from enclave.airlock.rules import MEBIBYTE, CheckRules
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool

HOWS = frozenset({"bytes", "numbers", "picture", ""})


def compare(submitted: Path, again: Path, name: str, rules: CheckRules, *, pool: SealedPool | None = None) -> Same:
    """Compare two stored copies in a sealed child; whatever goes wrong there counts as a difference."""
    job = {"do": "rerun", "name": name, "rules": rules.to_json()}
    limits = Limits(timeout_s=rules.timeout_s, memory_bytes=rules.memory_bytes, answer_bytes=MEBIBYTE)
    with ExitStack() as stack:
        descriptors = []
        for path in (submitted, again):
            descriptors.append(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
            stack.callback(os.close, descriptors[-1])
        try:
            answer = (pool or shared_pool()).run(job, descriptors[0], limits, descriptors[1:])
            said = json.loads(answer.body)
            rows = tuple((str(place), str(one), str(two)) for place, one, two in said["rows"])
            return Same(said["how"], rows) if said["how"] in HOWS else Same("")
        except SealedFailure as failure:
            return Same("", (("", "", failure.why[:100]),))
        except (ValueError, TypeError, KeyError):
            return Same("", (("", "", "no answer"),))
