"""`python -m enclave.portal`: settle what a crash left open, then serve pages, REST and the two inner APIs."""

from __future__ import annotations

import logging
import sys

from enclave import clock
from enclave.airlock.checker import shared_pool
from enclave.airlock.recompute.door import start_soon
from enclave.commands import release
from enclave.errors import EnclaveError
from enclave.portal import app, chores, closing, core_api, serve
from enclave.portal.parts import Portal, build
from enclave.settings import Settings

LOG = logging.getLogger("ansim.portal")


def main() -> int:
    """Serve until SIGTERM; returns the exit code. A missing key or setting is told in one line, without a trace."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = Settings.load()
        portal = build(settings)
        portal.emergency.reserve()
        portal.emergency.settle()
        reap(portal)
        core_at = serve.core_socket(settings.core_socket, settings.hub_user)
        pages_at = serve.loopback_socket(settings.portal_port)
    except (EnclaveError, OSError, ValueError) as error:
        LOG.error("the portal does not start: %s", error)  # noqa: TRY400 - the sentence says it; no trace for operators
        return 1
    shared_pool().start()
    start_soon()
    stop = chores.start(portal)
    LOG.info("serving on 127.0.0.1:%s and %s", settings.portal_port, settings.core_socket)
    serve.run(app.create(portal), pages_at, core_api.create(portal), core_at, serve.uids(settings.hub_user))
    stop.set()
    return 0


def reap(portal: Portal) -> None:
    """Finish or roll back what a killed portal left: releases without a package, frozen workspaces that still run."""
    for settled in release.reap(portal.store, portal.depot, now=clock.now()):
        LOG.info("release %s of request %s: %s", settled.id, settled.request_id, settled.state)
    closing.stop_frozen(portal)


if __name__ == "__main__":
    sys.exit(main())
