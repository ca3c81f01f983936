"""The drill's own process, as root: `python -m enclave.drill.serve`. It runs drills when they are due.

Due is one that was asked for in the portal, the first one after installation, and one each day at `drill_hour`
(Korean time). It holds no socket of the engine's; other users it becomes only in processes made for one attack.
"""

from __future__ import annotations

import logging
import signal
import threading
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from enclave import clock
from enclave.actor import Actor
from enclave.clock import KST
from enclave.commands.drill import request_drill
from enclave.drill.ground import in_store
from enclave.drill.recorded import recorded
from enclave.drill.run import AlreadyRunningError, alone
from enclave.queries.drill import latest
from enclave.settings import Settings
from enclave.states import DrillReason, DrillState

LOG = logging.getLogger("ansim.drill")
POLL_S = 15
# After installation: the services have come up, and people have the machine for their first steps.
SETTLE_S = 180


def due(drills: list[dict[str, Any]], now: datetime, hour: int) -> DrillReason | None:
    """Return why a drill is due that nobody asked for, or None. `drills` newest first; `hour` -1 means never."""
    if hour < 0:
        return None
    if not drills:
        return DrillReason.INSTALL
    here = now.astimezone(KST)
    since = here.replace(hour=hour, minute=0, second=0, microsecond=0)
    since = since if here >= since else since - timedelta(days=1)
    newest = datetime.fromisoformat(drills[0]["requested_at"])
    return DrillReason.DAILY if newest < since else None


def step(settings: Settings) -> str | None:
    """Run the drill that is due, if one is; returns its id."""
    drills = in_store(settings, lambda store: [_plain(asdict(each)) for each in latest(store)])
    waiting = [each["id"] for each in drills if each["state"] == DrillState.REQUESTED]
    reason = due(drills, clock.now(), settings.drill_hour)
    if not waiting and reason:
        system = Actor.system()
        waiting = [in_store(settings, lambda store: request_drill(store, system, reason=reason, now=clock.now()).id)]
    if not waiting:
        return None
    with alone(settings):
        recorded(settings, Actor.system(), waiting[0], LOG.info)
    return str(waiting[0])


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {"id": values["id"], "state": values["state"], "requested_at": values["requested_at"].isoformat()}


def main() -> None:
    """Look every few seconds whether a drill is due, until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = Settings.load()
    settings.drill.mkdir(mode=0o700, exist_ok=True)
    (settings.drill / "ready").touch()
    if settings.drill_hour >= 0:
        stop.wait(SETTLE_S)
    while not stop.is_set():
        try:
            step(settings)
        except AlreadyRunningError:
            LOG.info("a drill runs at the console")
        except Exception:  # the next look must come, whatever this one stumbled over
            LOG.exception("the drill did not come to its end")
        stop.wait(POLL_S)


if __name__ == "__main__":
    main()
