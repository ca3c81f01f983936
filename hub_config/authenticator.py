"""Who may sign in at the hub: the enclave's accounts (password and TOTP), or an OIDC provider by configuration.

Both ask the core API; the hub keeps no password, no secret and no list of people (docs/adr/0004).
"""

from __future__ import annotations

from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.handlers import LogoutHandler
from oauthenticator.generic import GenericOAuthenticator
from tornado.web import RequestHandler

from enclave.errors import EnclaveError
from hub_config.closed import CLOSED, ClosedHandler
from hub_config.core import Core
from hub_config.origin import address_of, where
from hub_config.refusal import page_refused

WRONG = frozenset({"account.wrong", "input.missing"})


class AnsimLogoutHandler(LogoutHandler):  # type: ignore[misc] # JupyterHub has no types
    """Signing out, and telling the enclave so."""

    async def handle_logout(self) -> None:
        """Report the sign-out; a portal that is away does not keep anybody signed in."""
        user = self.current_user
        if user is None:
            return
        try:
            await Core.here().event("logout", user.name, address_of(self))
        except EnclaveError as error:
            self.log.warning("logout of %s could not be reported: %s", user.name, error.en)


class AnsimAuthenticator(Authenticator):  # type: ignore[misc] # JupyterHub has no types
    """Password and TOTP of the enclave's accounts."""

    async def authenticate(self, handler: RequestHandler, data: dict[str, str]) -> str | None:
        """Return the login, or None for a wrong password or code; any other refusal is shown with its reason."""
        core = Core.here()
        try:
            return await core.log_in(
                data.get("username", ""), data.get("password", ""), data.get("otp", ""), **where(handler)
            )
        except EnclaveError as error:
            if error.code in WRONG:
                return None
            raise page_refused(error) from error

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Return the refusal of what is not used (the first match counts), the hub's sign-in page and our sign-out."""
        return [(CLOSED, ClosedHandler), *super().get_handlers(app), ("/logout", AnsimLogoutHandler)]


class AnsimOidcAuthenticator(GenericOAuthenticator):  # type: ignore[misc] # oauthenticator has no types
    """An identity provider's word for who somebody is; the enclave's word for whether they have an account."""

    async def authenticate(self, handler: RequestHandler, data: dict[str, str] | None = None) -> dict[str, Any] | None:
        """Return the provider's answer under the enclave's login; refused if no account has that claim."""
        found = await super().authenticate(handler, data)
        if found is None:
            return None
        try:
            login = await Core.here().log_in_by_claim(str(found["name"]), **where(handler))
        except EnclaveError as error:
            raise page_refused(error) from error
        return {**found, "name": login}

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Return the refusal of what is not used, the provider's handlers and our sign-out."""
        return [(CLOSED, ClosedHandler), ("/logout", AnsimLogoutHandler), *super().get_handlers(app)]
