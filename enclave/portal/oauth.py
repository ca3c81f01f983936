"""Signing in through the hub: OAuth 2.0 authorization code with state and PKCE S256 (RFC 6749 §4.1, RFC 7636).

The portal is a hub service. The browser goes to the hub and comes back with a code; the portal exchanges it over
loopback and asks whose token that is. Only the hub's user name is believed; what that account may do is read from
the enclave database at every request. State and verifier travel in one short-lived cookie that no script can read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from audit.exchange import Ask, Limits, NoAnswerError, exchange
from audit.silence import Silence

HANDSHAKE_S = 600
PARTS = 3
OK, SERVER_ERROR = range(200, 300), 500


@dataclass(frozen=True)
class Handshake:
    """What must be the same when the browser comes back: state, PKCE verifier, and where the person wanted to go."""

    state: str
    verifier: str
    wanted: str

    @classmethod
    def begin(cls, wanted: str) -> Handshake:
        """Draw a fresh state and verifier."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(48), wanted)

    @property
    def challenge(self) -> str:
        """The verifier's S256 challenge: base64url(SHA-256(verifier)) without padding (RFC 7636 §4.2)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def to_cookie(self) -> str:
        """Return the cookie value; the wanted path is base64url without padding, so that nothing needs quoting."""
        wanted = base64.urlsafe_b64encode(self.wanted.encode()).rstrip(b"=").decode()
        return f"{self.state}.{self.verifier}.{wanted}"

    @classmethod
    def from_cookie(cls, value: str) -> Handshake | None:
        """Read a cookie value back; None if it is not one of ours."""
        parts = value.split(".")
        if len(parts) != PARTS:
            return None
        try:
            return cls(parts[0], parts[1], base64.urlsafe_b64decode(parts[2] + "=" * (-len(parts[2]) % 4)).decode())
        except ValueError:
            return None

    def matches(self, state: str) -> bool:
        """Compare the state that came back, in constant time."""
        return bool(self.state) and hmac.compare_digest(self.state.encode(), state.encode())


def browser_name(hub_session: str) -> str:
    """Name a browser by its session at the hub, so that the name opens nothing; "" if there is none."""
    return hashlib.sha256(b"ansim-browser\0" + hub_session.encode()).hexdigest()[:32] if hub_session else ""


class HubRefusedError(Exception):
    """The hub said no: to a code, or to a token that has ended."""


class HubAwayError(Exception):
    """The hub did not answer; nothing is known about the token."""


class Hub:
    """The hub as this service sees it: its public pages for browsers, its API over loopback.

    `public` ends in `/hub/`, `api` in `/hub/api`; `token` is the service's own secret. `wait_s`: seconds in which the
    hub answers whole. While it says nothing, one at a time waits for it and the others hear at once that it is away.
    """

    def __init__(  # noqa: PLR0913 - keyword-only: what it is told once
        self, *, public: str, api: str, client_id: str, token: str, callback: str, wait_s: float = 10
    ) -> None:
        self.public = public
        self._api = api.rstrip("/")
        self._client_id = client_id
        self._token = token
        self._callback = callback
        self._limits, self._silence = Limits(wait_s), Silence(wait_s)

    def authorize_url(self, handshake: Handshake) -> str:
        """Where the browser is sent to sign in."""
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._callback,
            "state": handshake.state,
            "code_challenge": handshake.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.public}api/oauth2/authorize?{urlencode(query)}"

    def exchange(self, code: str, verifier: str) -> str:
        """Exchange a code for the visitor's token.

        Raises: HubRefusedError for a used or foreign code; HubAwayError if the hub does not answer.
        """
        form = {
            "grant_type": "authorization_code",
            "client_id": self._client_id,
            "client_secret": self._token,
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self._callback,
        }
        answer = self._ask("POST", "/oauth2/token", form=form)
        return str(answer["access_token"])

    def user_of(self, token: str) -> str:
        """Return the hub user name that a token belongs to (hub API `GET /user`).

        Raises: HubRefusedError if the token has ended or is no user's; HubAwayError if the hub does not answer.
        """
        return self.owner_of(token)[0]

    def owner_of(self, token: str) -> tuple[str, str]:
        """Return the user name and the name of the hub session (see `browser_name`) that a token belongs to.

        Raises: as `user_of`.
        """
        answer = self._ask("GET", "/user", headers={"Authorization": f"token {token}"})
        if answer.get("kind", "user") != "user" or not answer.get("name"):
            raise HubRefusedError("the token belongs to no user")
        return str(answer["name"]), browser_name(str(answer.get("session_id") or ""))

    def _ask(
        self, method: str, path: str, *, form: Mapping[str, str] = {}, headers: Mapping[str, str] = {}
    ) -> dict[str, object]:
        if not self._silence.may_ask():
            raise HubAwayError("it said nothing a moment ago")
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        try:
            answer = exchange(
                Ask(method, self._api + path, urlencode(form).encode(), {**kind, **headers}), self._limits
            )
        except NoAnswerError as error:
            # Who refuses, as while it starts again, is not silent: the next is not held back.
            (self._silence.began if error.is_late else self._silence.ended)()
            raise HubAwayError(str(error)) from error
        self._silence.ended()
        if answer.status >= SERVER_ERROR:
            raise HubAwayError(f"{path}: {answer.status}")
        if answer.status not in OK:
            raise HubRefusedError(f"{path}: {answer.status}")
        body = json.loads(answer.body)
        if not isinstance(body, dict):
            raise HubRefusedError(f"{path}: not an object")
        return body
