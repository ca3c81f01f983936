"""The core API as interfaces.md documents it, on a unix socket: keeps what it is told, answers as it is set to."""

from __future__ import annotations

import base64
import http.server
import json
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from enclave.errors import Denied, EnclaveError
from enclave.workspace.plan import WorkspacePlan

CODE = "123456"


def refusal(code: str = "account.wrong") -> Denied:
    return Denied(code, ko=f"거절 <b>{code}</b>", en=f"refused {code}", remedy_ko="이렇게 하세요", remedy_en="do this")


class CoreBook(socketserver.ThreadingUnixStreamServer):
    """`plan_for(login)` makes a plan that the gate knows; `refusals` maps a login to the error it meets."""

    daemon_threads = True

    def __init__(self, path: Path, plan_for: Callable[[str], tuple[WorkspacePlan, bytes]]) -> None:
        self.plan_for = plan_for
        self.refusals: dict[str, EnclaveError] = {}
        self.told: list[tuple[str, dict[str, Any]]] = []
        super().__init__(str(path), _Page)
        path.chmod(0o666)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.told.append((path, body))
        if path == "/login":
            if body["login"] in self.refusals:
                raise self.refusals[body["login"]]
            if (body["password"], body["code"]) != (f"demo-only-{body['login']}-2026", CODE):
                raise refusal()
            return {"login": body["login"]}
        if path == "/login/oidc" and "oidc" not in self.refusals:
            return {"login": body["subject"]}
        login = path.split("/")[2] if path.startswith("/workspaces/") else ""
        if path.endswith("/plan"):
            if f"{login}/plan" in self.refusals:
                raise self.refusals[f"{login}/plan"]
            plan, signature = self.plan_for(login)
            return {"plan": plan.canonical().decode(), "signature": base64.b64encode(signature).decode()}
        if path.rpartition("/")[2] in self.refusals:
            raise self.refusals[path.rpartition("/")[2]]
        return {}

    def heard(self, what: str, login: str) -> list[dict[str, Any]]:
        return [body for path, body in self.told if path == f"/workspaces/{login}/{what}"]


class _Page(http.server.BaseHTTPRequestHandler):
    server: CoreBook  # type: ignore[assignment] # the base class knows TCP servers only

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = 200, self.server.answer(self.path, body)
        except EnclaveError as error:
            status, answer = error.status, error.as_json()
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        pass
