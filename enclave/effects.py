"""Acts with an effect outside the database: which entry stands before it, which end it, and who settles a crash.

The reader of the log never has to guess (audit-log.md §6.2): what was requested is ended by an entry, and what a
crash left open is either taken up again by a chore, or closed after a while as of unknown outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from enclave.actions import Action

# After this the service does not expect to hear of it any more.
PATIENCE: Mapping[Action, timedelta] = MappingProxyType(
    {
        # A plan is good for minutes, a start takes two.
        Action.WORKSPACE_REQUESTED: timedelta(minutes=30),
        Action.RELEASE_REQUESTED: timedelta(hours=1),
        Action.DRILL_BEGIN: timedelta(hours=6),
    }
)


@dataclass(frozen=True)
class Effect:
    """`ends`: the entries that end it. `by`: the chore, or the command of whoever asked, that settles a crash."""

    ends: tuple[Action, ...]
    by: str


REAPER = "close-lost"
EFFECTS: Mapping[Action, Effect] = MappingProxyType(
    {
        Action.WORKSPACE_REQUESTED: Effect((Action.WORKSPACE_STARTED, Action.WORKSPACE_FAILED), REAPER),
        Action.RELEASE_REQUESTED: Effect((Action.RELEASE_DONE, Action.RELEASE_FAILED), REAPER),
        Action.DRILL_BEGIN: Effect((Action.DRILL_DONE, Action.DRILL_FAILED), REAPER),
        Action.LOG_EXPORT_REQUESTED: Effect((Action.LOG_EXPORT_DONE, Action.LOG_EXPORT_FAILED), "reap-exports"),
        Action.DESTRUCTION_REQUESTED: Effect((Action.DESTRUCTION_DONE,), "destroy-due"),
        Action.GPU_END_REQUESTED: Effect((Action.GPU_END_DONE,), "gpus-turn"),
        Action.EGRESS_RERUN: Effect((Action.EGRESS_RERUN_DONE,), "rerun"),
        Action.LOG_PURGE_REQUESTED: Effect((Action.LOG_PURGE_DONE,), "close-purges"),
        # At the machine: the next run finishes what one that was broken off began.
        Action.SOURCE_RECEIVE_REQUESTED: Effect((Action.SOURCE_RECEIVE_DONE,), "ansim receive"),
        Action.LOG_KEY_REQUESTED: Effect((Action.LOG_KEY_DONE,), "ansim anchor rotate"),
    }
)
