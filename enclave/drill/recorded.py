"""A drill with its record: begun, run, and what it found, or that it failed."""

from __future__ import annotations

import signal
from types import FrameType

from enclave import clock, keys
from enclave.actor import Actor
from enclave.commands.drill import Found, begin_drill, fail_drill, record_drill
from enclave.drill.ground import in_store
from enclave.drill.run import Say, drill
from enclave.settings import Settings


class EndedError(BaseException):
    """Somebody ended the process while it drilled."""


def recorded(settings: Settings, actor: Actor, drill_id: str, say: Say) -> list[Found]:
    """Begin a drill that was asked for, run it and record it; a drill that is ended takes its workspaces with it."""
    in_store(settings, lambda store: begin_drill(store, actor, drill_id=drill_id, now=clock.now()).id)
    before = signal.signal(signal.SIGTERM, _ended)
    try:
        found = drill(settings, say)
        in_store(
            settings,
            lambda store: (
                record_drill(
                    store,
                    actor,
                    drill_id=drill_id,
                    found=found,
                    key=keys.load_signing_key(settings.plan_key),
                    now=clock.now(),
                ).id
            ),
        )
    except BaseException as error:  # whatever ended it, the record must not say that it still runs
        code = f"drill.{type(error).__name__}"
        in_store(settings, lambda store: fail_drill(store, actor, drill_id=drill_id, code=code, now=clock.now()).id)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    return found


def _ended(_number: int, _frame: FrameType | None) -> None:
    raise EndedError("ended from outside")
