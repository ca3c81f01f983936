"""An OpenID provider of one person: the three endpoints of the authorization code flow (OpenID Connect Core §3.1)."""

from __future__ import annotations

import http.server
import json
import threading
from urllib.parse import parse_qs, urlencode, urlsplit


class Provider(http.server.ThreadingHTTPServer):
    """Signs everybody in as `subject`."""

    daemon_threads = True

    def __init__(self) -> None:
        self.subject = "kim"
        super().__init__(("127.0.0.1", 0), _Page)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def settings(self, callback: str) -> dict[str, object]:
        """The `[oidc]` table of config.toml."""
        here = f"http://127.0.0.1:{self.server_port}"
        return {
            "client_id": "ansim",
            "client_secret": "s3cret",
            "oauth_callback_url": callback,
            "authorize_url": f"{here}/authorize",
            "token_url": f"{here}/token",
            "userdata_url": f"{here}/userinfo",
            "username_claim": "sub",
            "scope": ["openid"],
            "login_service": "병원 통합 로그인",
        }


class _Page(http.server.BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/userinfo":
            self.answer({"sub": self.server.subject})
            return
        asked = parse_qs(urlsplit(self.path).query)
        back = f"{asked['redirect_uri'][0]}?{urlencode({'code': 'c0de', 'state': asked['state'][0]})}"
        self.send_response(302)
        self.send_header("Location", back)
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"access_token": "t0ken", "token_type": "Bearer"})

    def answer(self, value: dict[str, str]) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass
