"""What the portal does by itself, again and again: a list of chores, each with its own rhythm, in lanes.

A chore decides nothing: it asks queries, calls commands and tells the gate. One that fails is logged and tried again
at its next turn; the others go on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from enclave import clock
from enclave.commands import effects, log_export
from enclave.effects import REAPER
from enclave.errors import EnclaveError
from enclave.portal import (
    anchoring,
    closing,
    culling,
    destroying,
    ended,
    gpu_round,
    importing,
    inspecting,
    intake,
    keeping,
    limits,
    notifying,
    purging,
    recalling,
    replaying,
    rerunning,
    searching,
    sweeping,
    views_kept,
)
from enclave.portal.parts import Portal

LOG = logging.getLogger("ansim.portal.chores")
TICK_S = 0.25


@dataclass(frozen=True)
class Chore:
    """One thing to do every so many seconds, counted from its own end; `again_s` after it failed, where that is sooner.

    Chores of one `lane` wait for each other; lanes do not. What may take long (a search, a device being erased) has
    a lane of its own, because a workspace that must end has to end within a minute whatever else is going on.
    """

    name: str
    every_s: float
    run: Callable[[Portal], object]
    lane: str
    again_s: float = float("inf")


def reap_exports(portal: Portal) -> int:
    """Say of exports of the log that nothing was heard of how they ended."""
    return log_export.reap(portal.store, now=clock.now())


def close_lost(portal: Portal) -> tuple[str, ...]:
    """Say of what was requested and never ended that its outcome is unknown."""
    return effects.close_lost(portal.store, now=clock.now())


CHORES: tuple[Chore, ...] = (
    Chore(REAPER, 60, close_lost, "requests"),
    Chore("reap-exports", 3_600, reap_exports, "requests"),
    Chore("settle-emergencies", 1, lambda portal: portal.emergency.settle(), "log"),
    Chore("watch-log", 5, lambda portal: portal.watch.look(portal), "log"),
    Chore("stop-frozen", 15, closing.stop_frozen, "ends"),
    Chore("keep-requests", 60, keeping.keep_requests, "requests"),
    Chore("take-recalls", 15, recalling.take, "ends"),
    Chore("sweep", 15, sweeping.sweep, "ends"),
    Chore("close-ended", 30, ended.Ended().close, "ends"),
    Chore("cull", 60, culling.Culling().cull, "idle"),
    Chore("destroy-due", 30, destroying.destroy_due, "destroy"),
    Chore("forget-views", 60, views_kept.forget, "views"),
    Chore("gpus-look", 60, gpu_round.look, "gpus"),
    Chore("gpus-turn", 5, gpu_round.turn, "gpus"),
    Chore("take-events", 1, intake.take_events, "events"),
    Chore("bring-limits", 30, limits.bring_limits, "limits"),
    Chore("lay-out-imports", 5, importing.lay_out_waiting, "imports"),
    Chore("search-shown", 5, searching.search_shown, "search"),
    Chore("rerun", 5, rerunning.turn, "rerun"),
    Chore("replay-policies", 5, replaying.turn, "replay"),
    Chore("close-purges", 60, purging.close, "anchors"),
    # Others' servers: what hangs there holds up nothing else.
    Chore("stamp-log", 3600, anchoring.stamp, "stamps", again_s=900),
    Chore("copy-log", 6 * 3600, anchoring.copy, "copies", again_s=900),
    Chore("inspect-log", 3600, inspecting.turn, "inspect"),
    Chore("tell-overdue", 3600, notifying.tell_overdue, "notices"),
    Chore("late-incidents", 60, inspecting.note_late_incidents, "inspect"),
)


def start(portal: Portal, chores: Sequence[Chore] = CHORES) -> threading.Event:
    """Do the chores, each lane in a thread of its own, until the returned event is set."""
    stop = threading.Event()
    for lane in sorted({chore.lane for chore in chores}):
        own = [chore for chore in chores if chore.lane == lane]
        threading.Thread(target=_keep, args=(portal, own, stop), name=f"chores-{lane}", daemon=True).start()
    return stop


def _keep(portal: Portal, chores: Sequence[Chore], stop: threading.Event) -> None:
    due = dict.fromkeys((chore.name for chore in chores), 0.0)
    while not stop.wait(TICK_S):
        for chore in chores:
            if time.monotonic() >= due[chore.name]:
                next_s = chore.every_s if _do(portal, chore) else min(chore.every_s, chore.again_s)
                due[chore.name] = time.monotonic() + next_s


def _do(portal: Portal, chore: Chore) -> bool:
    """Do it once; say whether it was done."""
    try:
        chore.run(portal)
    except EnclaveError as error:
        # A gate that is away, a database that is locked: it says so itself, again and again until it is over.
        LOG.warning("chore %s: %s: %s", chore.name, error.code, error.en)
    except Exception:  # whatever one chore stumbles over, the others go on
        LOG.exception("chore %s", chore.name)
    else:
        return True
    return False
