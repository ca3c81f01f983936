"""What every program that attacks from inside a workspace begins with; the standard library only.

A program is this text, then one area's text, then a call of `run`. It prints one JSON object for each barrier it
tried: `{"id", "outcome", "evidence", "began", "ended"}`. Held is said only with something to show for it; whatever goes wrong is broken.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

Verdict = tuple[str, str]
Probe = Callable[[dict[str, Any]], Verdict]

PROBES: dict[str, Probe] = {}
PROBE_S = 40


def probe(barrier: str) -> Callable[[Probe], Probe]:
    """Put a function down as the attack on this barrier."""

    def keep(attack: Probe) -> Probe:
        PROBES[barrier] = attack
        return attack

    return keep


def held(evidence: str) -> Verdict:
    """Say that the attack failed, and what shows it."""
    return "held", evidence


def broken(evidence: str) -> Verdict:
    """Say that the attack succeeded, or failed for another reason than the barrier."""
    return "broken", evidence


def untestable(reason: str) -> Verdict:
    """Say that this place lacks what the attack needs."""
    return "not testable here", reason


def name_of(number: int | None) -> str:
    """Return the name of an errno."""
    return errno.errorcode.get(number or 0, str(number))


def told(attempt: Callable[[], object]) -> str:
    """Return the errno's name with which an attempt failed, or `SUCCEEDED`."""
    try:
        attempt()
    except OSError as error:
        return name_of(error.errno)
    return "SUCCEEDED"


def all_refused(attempts: dict[str, Callable[[], object]], *expected: str) -> Verdict:
    """Try everything; held if each attempt failed with one of the expected errors."""
    answers = {what: told(attempt) for what, attempt in attempts.items()}
    wrong = {what: answer for what, answer in answers.items() if answer not in expected}
    if wrong or not answers:
        return broken("; ".join(f"{what}: {answer}" for what, answer in list(wrong.items())[:6]) or "nothing was tried")
    counts = {answer: list(answers.values()).count(answer) for answer in sorted(set(answers.values()))}
    first = "; ".join(f"{what}: {answer}" for what, answer in list(answers.items())[:3])
    return held(f"{', '.join(f'{count} × {answer}' for answer, count in counts.items())} ({first})")


def in_child(work: Callable[[], object], *, seconds: int = 20) -> int:
    """Do something in a process of its own; returns its exit code, or minus the signal that ended it."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        # The child of a kernel must never come back into the kernel.
        code = 97
        try:
            signal.alarm(seconds)
            code = int(bool(work()))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class TooLongError(Exception):
    """A probe did not end in its time."""


def _late(*_: object) -> None:
    raise TooLongError(f"no end within {PROBE_S} s")


def run(facts: dict[str, Any], only: list[str] | None = None) -> None:
    """Run the probes that were put down and print what each found; one that fails is broken, never held."""
    before = signal.signal(signal.SIGALRM, _late)
    for barrier, attack in PROBES.items():
        if only and barrier not in only:
            continue
        began = time.monotonic()
        try:
            signal.alarm(PROBE_S)
            outcome, evidence = attack(facts)
        except Exception as error:  # noqa: BLE001 - a probe that stumbles has shown nothing
            outcome, evidence = broken(f"the probe failed: {type(error).__name__}: {error}")
        finally:
            signal.alarm(0)
        # Of the one clock that all workspaces of a host share: so the neighbour's work can be laid beside it.
        line = {
            "id": barrier,
            "outcome": outcome,
            "evidence": evidence[:600],
            "began": began,
            "ended": time.monotonic(),
        }
        print(json.dumps(line), flush=True)
    signal.signal(signal.SIGALRM, before)
