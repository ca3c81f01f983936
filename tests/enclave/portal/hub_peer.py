"""A small OAuth peer that behaves as the hub does (RFC 6749, RFC 7636), where the hub itself is not running.

It checks what the hub checks: client and secret, redirect address, one use per code, and the PKCE verifier. Who signs
in is chosen by the test (`peer.person`). It runs on a real port, because the portal speaks to it over HTTP.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import socket
import threading
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from enclave.portal.serve import QuietServer, loopback_socket


class HubPeer:
    def __init__(self, *, callback: str, secret: str) -> None:
        self.person = ""
        self.session_id = ""  # of the browser that signs in, as the hub tells the owner of its token
        self.callback, self.secret = callback, secret
        self.codes: dict[str, tuple[str, str]] = {}
        self.tokens: dict[str, tuple[str, str]] = {}
        self.away = self.hangs = False
        self.app = Starlette(
            routes=[
                Route("/hub/api/oauth2/authorize", self.authorize),
                Route("/hub/api/oauth2/token", self.token, methods=["POST"]),
                Route("/hub/api/user", self.user),
            ]
        )
        self.socket = loopback_socket(0)
        self.port = self.socket.getsockname()[1]

    async def authorize(self, request: Request) -> Response:
        asked = request.query_params
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256", "PKCE is required"
        assert asked["redirect_uri"] == self.callback
        code = secrets.token_urlsafe(16)
        self.codes[code] = (asked["code_challenge"], self.person)
        return RedirectResponse(f"{self.callback}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def token(self, request: Request) -> Response:
        while self.hangs:  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)
        if self.away:
            return JSONResponse({}, 503)
        form = await request.form()
        challenge, person = self.codes.pop(str(form["code"]), ("", ""))
        verified = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        good = form["client_secret"] == self.secret and form["client_id"] == "service-portal"
        if not (good and challenge and verified.rstrip(b"=").decode() == challenge):
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = secrets.token_urlsafe(16)
        self.tokens[token] = (person, self.session_id)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    async def user(self, request: Request) -> Response:
        while self.hangs:  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)
        if self.away:
            return JSONResponse({}, 503)
        found = self.tokens.get(request.headers.get("authorization", "").removeprefix("token "))
        if found is None:
            return JSONResponse({"status": 403}, 403)
        return JSONResponse({"kind": "user", "name": found[0], "session_id": found[1]})

    def start(self) -> None:
        self.running = Running(self.app, self.socket)

    def stop(self) -> None:
        self.running.stop()


class Running:
    """An application served on a real socket by a thread."""

    def __init__(self, app: object, listener: socket.socket) -> None:
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
        self.server = QuietServer(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve(sockets=[listener])))
        self.thread.start()

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
