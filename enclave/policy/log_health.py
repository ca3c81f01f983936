"""What the state of the log means: when to raise the alarm, when nothing may leave any more, which marks a disk passed.

Entries are durable the moment their act is, so acts go on while the sequencer is down. But what leaves has to carry
a proof, so releases stop (SATRE 2.5.03; audit log design §6.5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from enclave.errors import Unavailable
from enclave.timekeeping import KERNEL, Reading

ALARM_S = 60
RELEASES_STOP_S = 600
# A sequencer that works needs less than this for what was just committed.
USUAL_S = 5
CANARY_S = 60
CLOCK_MS = 1000
WATERMARKS = (80, 90, 95)


class Trouble(StrEnum):
    """What can be wrong with the log; also its words' key and its name in an entry."""

    UNWRITABLE = "unwritable"
    BEHIND = "behind"
    RELEASES_STOPPED = "releases-stopped"
    CANARY = "canary"
    UNPROTECTED = "unprotected"
    RIGHTS = "rights"
    DISK = "disk"
    CLOCK = "clock"
    WAITING_ACTS = "waiting-acts"


# What everybody needs to know to understand why something does not work; the rest is for those who can mend it.
FOR_ALL = frozenset({Trouble.UNWRITABLE, Trouble.BEHIND, Trouble.RELEASES_STOPPED})


@dataclass(frozen=True)
class Canary:
    """The last canary: its entry, and whether it was found in the published tiles; None: not looked for yet."""

    entry_id: str = ""
    found: bool | None = None


@dataclass(frozen=True)
class Facts:
    """The log at one moment. `behind_s`: how long something committed has not been published; disks in percent."""

    writable: bool = True
    behind_s: float = 0.0
    canary: Canary = Canary()
    missing: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    disks: dict[str, int] = field(default_factory=dict)
    clock_ok: bool = True
    waiting_acts: int = 0


def troubles(facts: Facts) -> frozenset[Trouble]:
    """Return what is wrong."""
    wrong = {
        Trouble.UNWRITABLE: not facts.writable,
        Trouble.BEHIND: facts.behind_s >= ALARM_S,
        Trouble.RELEASES_STOPPED: facts.behind_s >= RELEASES_STOP_S,
        Trouble.CANARY: facts.canary.found is False,
        Trouble.UNPROTECTED: bool(facts.missing),
        Trouble.RIGHTS: bool(facts.rights),
        Trouble.DISK: any(mark(percent) for percent in facts.disks.values()),
        Trouble.CLOCK: not facts.clock_ok,
        Trouble.WAITING_ACTS: facts.waiting_acts > 0,
    }
    return frozenset(trouble for trouble, is_so in wrong.items() if is_so)


def mark(percent: int) -> int:
    """Return the highest watermark that a disk so full has reached; 0 for none."""
    return max((each for each in WATERMARKS if percent >= each), default=0)


def is_clock_wrong(reading: Reading) -> bool:
    """Say whether the clock is off or was set by more than a second, or the time server that is named does not answer.

    A kernel that nobody synchronises is told in the entry and is no alarm: a virtual machine's host may do it.
    """
    far = max(abs(reading.offset_ms), abs(reading.jumped_ms)) > CLOCK_MS
    return far or not (reading.synchronised or reading.source == KERNEL)


def check_releases_carry_proof(lag_s: float) -> None:
    """Raise `Unavailable` (`log.behind`) when the published log has been behind for ten minutes."""
    if lag_s >= RELEASES_STOP_S:
        raise Unavailable(
            "log.behind",
            ko=f"접속기록이 {lag_s / 60:.0f}분째 서명되지 않아 반출물을 내보내지 않습니다. 전달된 것은 없습니다.",
            en=f"The access log has not been signed for {lag_s / 60:.0f} minutes, so nothing leaves. Nothing was handed"
            " over.",
            remedy_ko="운영자에게 순번기(sequencer)를 확인해 달라고 하세요. 서명이 따라잡으면 바로 다시 됩니다.",
            remedy_en="Ask an operator to look after the sequencer. It works again as soon as signing has caught up.",
        )
