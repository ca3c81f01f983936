"""What is asked of every request of a browser, in this order, before anything of it goes on.

To add a check: write `async def check_…(visit: Visit) -> Answer | None` in a file of its own and put it in its place
in `CHECKS`. It returns None (go on) or the `Answer` that the browser gets instead; an answer's `event` is told to the
portal. State of one workspace belongs in the `Doorway` (`visit.doorway`), which lives as long as the workspace's
relay; its `cut_sockets` closes what is open already. A page of our own is answered by the check that recognises its
path (`visit.target.path`), so it needs no route. To change HTML documents on their way to the browser, add a function
to `REWRITES` in `pages.py`.
"""

from __future__ import annotations

import hashlib

from enclave.gate.door import routes
from enclave.gate.door.frame import check_frame
from enclave.gate.door.lock import check_lock
from enclave.gate.door.own import check_own, check_unlocked
from enclave.gate.door.refused import explain
from enclave.gate.door.seat import check_seat
from enclave.gate.door.visit import Answer, Check, Visit


async def check_routes(visit: Visit) -> Answer | None:
    """Let pass what is on the list of routes."""
    found = routes.find(visit.method, visit.target, websocket=visit.websocket)
    if isinstance(found, routes.Route):
        visit.route = found
        return None
    which = routes.class_of(visit.target.path)
    if visit.method == "GET" and routes.BY_ITSELF.fullmatch(visit.target.path):
        return explain(visit, 404, which)
    details = {
        "why": found,
        "method": visit.method if visit.method in routes.METHODS else "other",
        "route": which,
        "path_sha256": hashlib.sha256(visit.target.path.encode()).hexdigest(),
    }
    return explain(visit, 403, which, event=("route-refused", details))


# In this order: seat (whose machine), frame (is it inside our page), lock (is somebody there; before it what a locked
# page may ask of us, after it what it may report), routes (last).
CHECKS: tuple[Check, ...] = (check_seat, check_frame, check_unlocked, check_lock, check_own, check_routes)


async def ask(visit: Visit) -> Answer | None:
    """Return the first check's answer, or None: the request may go on, and its `route` is known."""
    for check in CHECKS:
        if answer := await check(visit):
            return answer
    return None
