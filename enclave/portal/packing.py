"""Making the package once a request is approved; the decision stands whatever happens here.

The wish to release is in the database already. If the package cannot be made now, the release says so, and it can be
tried again from its page or is finished when the portal starts next.
"""

from __future__ import annotations

import logging
from datetime import datetime

from enclave.commands import release
from enclave.errors import EnclaveError
from enclave.portal.parts import Portal
from enclave.queries.airlock_views import RequestView
from enclave.states import ReleaseState

LOG = logging.getLogger("ansim.portal")


def after(portal: Portal, decided: RequestView, now: datetime) -> None:
    """Build the package of a request that this decision approved."""
    wish = decided.release
    if wish is None or wish.state is not ReleaseState.REQUESTED:
        return
    try:
        release.build(portal.store, portal.depot, release_id=wish.id, now=now)
    except EnclaveError as error:
        LOG.warning("release %s is decided but not built yet: %s", wish.id, error.code)
