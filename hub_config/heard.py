"""What the hub did that JupyterHub tells nobody: tokens it issued, and doors at which a signed-in person was refused.

JupyterHub emits one kind of event, a server's start and stop. Every finished request passes its log function; what
matters for the record is told to the enclave from there. A token for somebody else's workspace is what an
administrator of the hub would use to enter it (jupyterhub#4647), and is told as that; so is somebody else's server
that a person starts or stops. Nobody here has such rights: whoever has them was given them past the configuration.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from jupyterhub import orm
from jupyterhub.apihandlers.auth import OAuthTokenHandler
from jupyterhub.log import log_request
from tornado.web import HTTPError

from enclave.errors import EnclaveError
from hub_config.closed import ClosedHandler
from hub_config.core import Core
from hub_config.origin import address_of

LOG = logging.getLogger("ansim.hub")
OK, BAD, FORBIDDEN, NOT_FOUND = 200, 400, 403, 404
WORKSPACE = "jupyterhub-user-"
# The hub's own routes by their first words; nothing of a request stands in an entry.
ROUTE = re.compile(r"/hub/(api/oauth2/authorize|api/users|spawn-pending|spawn|user)\b")
HIDES = re.compile(r"/hub/(api/users|spawn-pending|spawn|user)/")
# Starting and stopping by name, at the interface and on the page.
SERVERS = re.compile(r"/hub/(api/users|spawn)/([^/]+)(?:/server)?\Z")
ACTS = {("api/users", "POST"): "admin-start", ("api/users", "DELETE"): "admin-stop"}
ACTS |= {("spawn", method): "admin-start" for method in ("GET", "POST")}
_TASKS: set[asyncio.Task[None]] = set()


@dataclass(frozen=True)
class Heard:
    """One thing to tell: its name, the person's login, and which of the hub's routes, or whose door, it was."""

    event: str
    login: str
    route: str
    path_sha256: str = ""


def log(handler: Any) -> None:
    """Log a finished request as JupyterHub does, and tell what the record needs. Never raises."""
    log_request(handler)
    try:
        heard = heard_of(handler)
        address = address_of(handler) if heard else ""
    except Exception:  # whatever a strange request does here, the hub goes on
        LOG.exception("a request could not be looked at")
        return
    if heard is not None:
        task = asyncio.ensure_future(_tell(heard, address))
        _TASKS.add(task)
        task.add_done_callback(_TASKS.discard)


def heard_of(handler: Any) -> Heard | None:
    """Return what a finished request means for the record; None for most."""
    status = handler.get_status()
    if isinstance(handler, OAuthTokenHandler) and status == OK:
        return _token(handler)
    path = handler.request.path
    if acted := _of_anothers_server(handler, path):
        return acted
    found = ROUTE.match(path)
    # JupyterHub hides what is somebody else's behind "not found".
    refused = status == FORBIDDEN or (status == NOT_FOUND and HIDES.match(path))
    if not refused or found is None or isinstance(handler, ClosedHandler):
        return None
    user = _person(handler)
    if user is None:
        return None
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()
    return Heard("access-refused", user.name, found[1], digest)


def _of_anothers_server(handler: Any, path: str) -> Heard | None:
    """Return that a person started or stopped somebody else's server; None for their own, and for what was refused."""
    found = SERVERS.match(path)
    act = ACTS.get((found[1], handler.request.method)) if found else None
    if found is None or act is None or handler.get_status() >= BAD:
        return None
    user = _person(handler)
    return None if user is None or user.name == unquote(found[2]) else Heard(act, user.name, found[1])


def _person(handler: Any) -> Any:
    """Return who is signed in, None for nobody, a service, or a request that ended before that was asked."""
    try:
        user = handler.current_user
    except (HTTPError, RuntimeError):
        return None
    return None if user is None or isinstance(user, orm.Service) else user


def _token(handler: Any) -> Heard | None:
    """Return whose token was issued just now, and for whose door."""
    client = handler.get_body_argument("client_id", "") or handler.get_argument("client_id", "")
    newest = handler.db.query(orm.APIToken).order_by(orm.APIToken.id.desc()).first()
    if newest is None or newest.user is None or newest.client_id != client:
        return None
    login = newest.user.name
    if not client.startswith(WORKSPACE):
        return Heard("token-issued", login, "portal")
    own = client == f"{WORKSPACE}{login}"
    return Heard("token-issued" if own else "admin-access", login, "workspace")


async def _tell(heard: Heard, address: str) -> None:
    facts = {"route": heard.route, "path_sha256": heard.path_sha256}
    try:
        core = Core.here()
        await core.event(heard.event, heard.login, address, **{name: value for name, value in facts.items() if value})
    except EnclaveError as error:
        LOG.warning("%s could not be reported: %s", heard.event, error.en)
