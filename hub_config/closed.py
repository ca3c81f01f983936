"""The hub's pages and interface by list: what this enclave uses is open, whatever else JupyterHub has is closed.

JupyterHub offers tokens, groups, shares, metrics and an administrator's pages. None of it is needed here, and a new
release brings more. A closed address answers with 403 and the reason; a signed-in person's try is an entry.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from jupyterhub.handlers import BaseHandler

from enclave.errors import Denied, EnclaveError
from hub_config.core import Core
from hub_config.origin import address_of
from hub_config.refusal import page_refused

# Below /hub; whole paths. Source: JupyterHub 6's handler tables, and what a working day asks for.
OPEN = (
    "",  # on to the portal
    "login",
    "logout",
    "oauth_login",  # an identity provider's way in
    "oauth_callback",
    "home",  # where a person stops their own server
    r"spawn(/[^/]+)?",
    r"spawn-pending/[^/]+",
    r"user/.*",  # a workspace that does not run
    r"error/\d+",  # the proxy's error pages
    "health",
    "logo",
    r"static/.*",
    r"security/csp-report",
    r"api/?",  # the version, asked by each notebook server
    r"api/health",
    r"api/user",  # who a token belongs to, asked by notebook servers and the portal
    r"api/users/[^/]+/server(/progress)?",  # start and stop
    r"api/users/[^/]+/activity",  # a running server's sign of life
    r"api/oauth2/(authorize|token)",  # the hub signs people in to the portal and to their workspace
)
# JupyterHub puts its own prefix in front.
CLOSED = rf"/(?!(?:{'|'.join(OPEN)})\Z).*"
KNOWN = re.compile(
    r"/hub/(token|admin|metrics|accept-share|api/(users|groups|services|proxy|shutdown|info|shares|"
    r"share-codes|authorizations|metrics))\b"
)
TOKENS = re.compile(r"/hub/api/users/[^/]+/tokens(/.*)?")


class ClosedHandler(BaseHandler):  # type: ignore[misc] # JupyterHub has no types
    """Answers for every address that is not on the list, whatever the method."""

    _accept_token_auth = True

    async def prepare(self) -> None:
        """Refuse, before any check of the request's own; a failure to record changes nothing about the refusal."""
        user = await self.get_current_user()
        self._resolve_roles_and_scopes()  # JupyterHub's own error page looks at them
        self.log.warning("closed: %s %s", self.request.method, ascii(self.request.path)[:200])
        if user is not None:
            await self._report(user.name)
        raise page_refused(closed())

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer programs in JSON, people with the hub's error page."""
        if not self.request.path.startswith("/hub/api/"):
            super().write_error(status_code, **kwargs)
            return
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(closed().as_json()))

    async def _report(self, login: str) -> None:
        path = self.request.path.encode("utf-8", "surrogateescape")
        facts = {"route": kind_of(self.request.path), "path_sha256": hashlib.sha256(path).hexdigest()}
        try:
            await Core.here().event("route-refused", login, address_of(self), **facts)
        except EnclaveError as error:
            self.log.warning("a closed address could not be reported: %s", error.en)


def kind_of(path: str) -> str:
    """Return which of the hub's own routes was wanted: a word of ours, never a piece of the request."""
    if TOKENS.fullmatch(path):
        return "api/users/tokens"
    found = KNOWN.match(path)
    return found[1] if found else "other"


def closed() -> Denied:
    """Return the reason that everybody is shown."""
    return Denied(
        "hub.closed",
        ko="이 주소는 안심구역에서 닫혀 있습니다. 이 시도는 기록되었습니다.",
        en="This address is closed in the enclave. The attempt has been recorded.",
        remedy_ko="작업은 포털에서 시작하고, 결과는 반출 신청으로 내보내십시오.",
        remedy_en="Start from the portal; results leave by an egress request.",
    )
