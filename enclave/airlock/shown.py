"""The door to the search of shown texts: texts of one workspace in, findings of each out, read in a sealed child.

A child that fails, or answers anything but what it should, has searched nothing: `SealedFailure`. Texts of different
workspaces never share a child.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enclave.airlock.checker import shared_pool
from enclave.airlock.rules import CheckRules
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool

ANSWER_BYTES = 1 << 20
TIMEOUT_S = 10.0
LARGEST = 1 << 20
# Those of `checks.identifiers` that are not only looked at; named here so that no recogniser is loaded in this process.
KINDS = frozenset({
    "RRN", "FRN", "PHONE", "EMAIL", "IP", "CARD", "NAME", "ADDRESS", "MRN", "DATE_BIRTH",
    "PASSPORT", "DRIVER_LICENSE", "LICENSE_NO", "INS_NO", "BANK_ACCOUNT", "PLATE",
})  # fmt: skip
# What `mask` leaves of a value. Anything longer would be a value, whoever wrote it.
MASKED = re.compile(r".?\*\*\*", re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """One text as it was shown, with its MIME type."""

    mime: str
    text: str


@dataclass(frozen=True)
class Found:
    """How often each kind of identifier stands in one text, and masked samples (kind, first character and ***)."""

    counts: Mapping[str, int]
    samples: tuple[tuple[str, str], ...]

    @property
    def kinds(self) -> str:
        """The counts in one line: `NAME:1 PHONE:3`."""
        return " ".join(f"{kind}:{count}" for kind, count in sorted(self.counts.items()))


def search(texts: Sequence[Shown], *, pool: SealedPool | None = None, timeout_s: float = TIMEOUT_S) -> list[Found]:
    """Return what was found in each text. Raises `SealedFailure` when there is no whole answer about all of them."""
    descriptor = os.memfd_create("shown", os.MFD_CLOEXEC)
    try:
        sent = json.dumps([{"mime": each.mime, "text": each.text} for each in texts]).encode()
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(sent)
        limits = Limits(timeout_s=timeout_s, memory_bytes=CheckRules().memory_bytes, answer_bytes=ANSWER_BYTES)
        answer = (pool or shared_pool()).run({"do": "search", "name": "shown"}, descriptor, limits)
        return _read(json.loads(answer.body), len(texts))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise SealedFailure("its answer was no result of a search") from None
    finally:
        os.close(descriptor)


def _read(answer: Any, expected: int) -> list[Found]:
    if not isinstance(answer, list) or len(answer) != expected:
        raise ValueError("one result for each text")
    return [Found(_counts(each["counts"]), tuple(_sample(one) for one in each["samples"])) for each in answer]


def _counts(found: Mapping[str, object]) -> dict[str, int]:
    counts = dict(found)
    for kind, count in counts.items():
        if kind not in KINDS or type(count) is not int or not 0 < count <= LARGEST:
            raise ValueError("not a count of a kind")
    return counts  # type: ignore[return-value]  # each was just looked at


def _sample(found: Sequence[object]) -> tuple[str, str]:
    kind, masked = found
    if kind not in KINDS or not isinstance(masked, str) or not MASKED.fullmatch(masked):
        raise ValueError("not a masked sample")
    return str(kind), masked
