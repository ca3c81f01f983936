"""Attacks by a service that was taken over, or by another user of the host: engine, gate, portal, proxy, secrets.

Each is made as the user it plays, in a process that has become that user (`enclave.drill.others`).
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from enclave.drill.others import as_user
from enclave.drill.outside.wider import WIDER, widened
from enclave.drill.place import Place, Verdict, attack, broken, held, judged
from enclave.drill.wire import head, send
from enclave.settings import Settings
from enclave.store import open_engine, writable
from enclave.workspace.engine import create_body

NOBODY = "nobody"
CUT = 0
ENGINE_CALLS = (
    "POST /v1.41/containers/{id}/exec", "POST /exec/x/start", "POST /v1.41/containers/{id}/attach",
    "POST /v1.41/containers/{id}/update", "POST /v1.41/containers/{id}/rename?name=x", "POST /v1.41/containers/{id}/kill",
    "GET /v1.41/containers/{id}/archive?path=/", "PUT /v1.41/containers/{id}/archive?path=/", "GET /containers/{id}/top",
    "GET /v1.41/containers/{id}/export", "GET /v1.41/containers/{id}/changes", "POST /v1.41/commit?container={id}",
    "GET /v1.41/containers/json", "POST /v1.41/volumes/create", "GET /v1.41/volumes", "POST /v1.41/networks/create",
    "POST /v1.41/networks/bridge/connect", "GET /v1.41/networks", "POST /v1.41/build", "POST /v1.41/images/load",
    "POST /v1.41/images/create?fromImage=evil", "GET /v1.41/images/json", "POST /v1.41/plugins/pull",
    "POST /v1.41/swarm/init", "GET /v1.41/info", "GET /v1.41/events", "GET /v1.41/system/df", "POST /v1.41/session",
    "POST /v1.41/containers/prune", "GET /v1.41/containers/../images/json", "GET /v1.41/containers/{id}%2f..%2fx/json",
    "GET /v1.41/containers/{id}/json/", "GET http://engine/v1.41/containers/{id}/json", "GET /v1.41/secrets",
)  # fmt: skip


def unix(user: str, path: Path, lines: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """Send requests to a unix socket as a user: name → (line, JSON body or None); name → status, errno's text, or 0."""

    def ask(line: str, body: Any) -> int | str:
        data = b"" if body is None else json.dumps(body).encode()
        kind = {
            "Host": "x",
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
        }
        try:
            return send(str(path), head(line, kind, data), seconds=20).status
        except OSError as error:
            return type(error).__name__

    answers: dict[str, Any] = as_user(user, lambda: {name: ask(*what) for name, what in lines.items()})
    return answers


def refused(*good: int) -> Callable[[object], bool]:
    """Return what judges an answer: one of these statuses, a connection cut without a word, or no permission."""
    return lambda answer: answer in {*good, CUT, "PermissionError", "ConnectionResetError", "BrokenPipeError"}


@attack("in.engine-calls")
def engine_calls(place: Place) -> Verdict:
    """Every call to the engine that is not needed, on the drill's own container."""
    name = place.plan.container_name
    lines: dict[str, tuple[str, Any]] = {call: (call.format(id=name), {}) for call in ENGINE_CALLS}
    answers = unix(place.settings.hub_user, place.settings.engine_socket, lines)
    foreign = unix(
        place.settings.hub_user, place.settings.engine_socket, {"foreign": ("GET /containers/ansim-x/json", None)}
    )
    return judged({**answers, **foreign}, refused(400, 403, 404))


@attack("in.engine-plan")
def engine_plan(place: Place) -> Verdict:
    """Creating a container that is wider than the plan in one place; the plan's own passes on to the engine."""
    body, name = create_body(place.plan), place.plan.container_name
    line = f"POST /v1.41/containers/create?name={name}"
    lines: dict[str, tuple[str, Any]] = {
        f"{number} {where}": (line, widened(body, where, value)) for number, (where, value) in enumerate(WIDER)
    }
    # A plan on a project's bridge has a network: there, the other value is what is not the plan's.
    lines |= {
        name: (line, widened(body, "NetworkDisabled", place.plan.network != ""))
        for name in lines
        if name.endswith(" NetworkDisabled")
    }
    lines["another name"] = ("POST /v1.41/containers/create?name=mine", body)
    answers = unix(place.settings.hub_user, place.settings.engine_socket, lines)
    own = unix(place.settings.hub_user, place.settings.engine_socket, {"own": (line, body)})["own"]
    outcome, evidence = judged(answers, lambda answer: answer == 403)  # noqa: PLR2004 - refused by the gate
    if own not in {409, 201}:
        return broken(f"the plan's own body was answered {own}: nothing was shown")
    return outcome, f"{evidence}; the plan's own passes on ({own}: it runs already)"


@attack("in.engine-peers")
def engine_peers(place: Place) -> Verdict:
    """The engine's filtered socket for everybody but the hub; and the engine's own for all of them."""
    users = (NOBODY, place.settings.app_user, place.settings.log_user)
    ping = {"ping": ("GET /_ping", None)}
    answers = {user: unix(user, place.settings.engine_socket, ping)["ping"] for user in users}
    docker = Path("/var/run/docker.sock")
    answers |= {f"{user} at {docker}": unix(user, docker, ping)["ping"] for user in (*users, place.settings.hub_user)}
    return judged(answers, lambda answer: refused()(answer) or answer == "FileNotFoundError")


@attack("in.gate-hub")
def gate_hub(place: Place) -> Verdict:
    """The portal's commands to the gate, given by the hub."""
    work = place.plan.workspace_id
    lines: dict[str, tuple[str, Any]] = {
        "plan": ("POST /plans", {"plan": "{}", "signature": ""}),
        "collect": (f"POST /workspaces/{work}/collect", {"names": ["x"], "limits": {}}),
        "revoke": (f"POST /workspaces/{place.neighbour_plan.workspace_id}/revoke", {}),
        "volumes": (f"DELETE /workspaces/{place.neighbour_plan.workspace_id}/volumes", None),
        "events": ("GET /events?limit=10", None),
        "settle": ("POST /events/settle", {"ids": []}),
    }
    return judged(unix(place.settings.hub_user, place.settings.gate_socket, lines), refused(403))


@attack("in.gate-peers")
def gate_peers(place: Place) -> Verdict:
    """Any command to the gate by users who have no business with it."""
    lines: dict[str, tuple[str, Any]] = {
        "status": ("GET /status", None),
        "plan": ("POST /plans", {}),
        "revoke": (f"POST /workspaces/{place.neighbour_plan.workspace_id}/revoke", {}),
    }
    answers = {
        f"{user} {name}": answer
        for user in (NOBODY, place.settings.log_user)
        for name, answer in unix(user, place.settings.gate_socket, lines).items()
    }
    return judged(answers, refused(403))


@attack("in.gate-plans")
def gate_plans(place: Place) -> Verdict:
    """Plans that the portal's key did not sign, handed over by the portal's own user."""
    own = place.plan.canonical()
    wider = own.replace(b'"cpus":1', b'"cpus":2')
    somebody = own.replace(place.login.encode(), b"somebody")
    signature = base64.b64encode(bytes(64)).decode()
    lines: dict[str, tuple[str, Any]] = {
        "unsigned": ("POST /plans", {"plan": own.decode(), "signature": ""}),
        "zeros": ("POST /plans", {"plan": own.decode(), "signature": signature}),
        "wider": ("POST /plans", {"plan": wider.decode(), "signature": place.notes["signature"]}),
        "somebody else's": ("POST /plans", {"plan": somebody.decode(), "signature": place.notes["signature"]}),
        "no plan": ("POST /plans", {"plan": "{}", "signature": place.notes["signature"]}),
        "path": ("POST /workspaces/..%2f/revoke", {}),
    }
    return judged(unix(place.settings.app_user, place.settings.gate_socket, lines), refused(403, 404, 422))


@attack("in.core-peers")
def core_peers(place: Place) -> Verdict:
    """The portal's core interface for everybody but the hub."""
    line = {
        "plan": (f"POST /workspaces/{place.login}/plan", {}),
        "login": ("POST /login", {"login": "x", "password": "x"}),
    }
    answers = {
        f"{user} {name}": answer
        for user in (NOBODY, place.settings.log_user)
        for name, answer in unix(user, place.settings.core_socket, line).items()
    }
    return judged(answers, refused())


@attack("in.core-hub")
def core_hub(place: Place) -> Verdict:
    """More than the hub needs from the core interface: pages, the log, plans for nobody, a sign-in without password."""
    lines: dict[str, tuple[str, Any]] = {
        target: (f"GET {target}", None)
        for target in ("/services/portal/api/v1/log", "/requests", "/releases", "/openapi.json", "/docs", "/projects")
    }
    lines |= {
        "plan for nobody": ("POST /workspaces/nobody-there/plan", {}),
        "plan by path": ("POST /workspaces/..%2f..%2fplan/plan", {}),
        "reserved by claim": ("POST /login/oidc", {"subject": place.login}),
        "reserved by password": ("POST /login", {"login": place.login, "password": "!"}),
        "somebody's workspace": (
            f"POST /workspaces/{place.neighbour}/stopped",
            {"workspace_id": place.plan.workspace_id, "reason": "x"},
        ),
        "more fields": (f"POST /workspaces/{place.login}/plan", {"project_id": "x", "cpus": 64}),
    }
    return judged(unix(place.settings.hub_user, place.settings.core_socket, lines), refused(403, 404, 422))


def _unreadable(user: str, paths: list[Path]) -> Verdict:
    there = [str(path) for path in paths if path.exists()]

    def look() -> dict[str, str]:
        return {path: _look(path) for path in there}

    answers = as_user(user, look)
    return judged(dict(answers), lambda answer: answer == "PermissionError")


def _look(path: str) -> str:
    try:
        if os.path.isdir(path):
            return f"{len(os.listdir(path))} names"
        with open(path, "rb") as file:
            return f"{len(file.read(16))} bytes"
    except OSError as error:
        return type(error).__name__


def secrets(settings: Settings) -> dict[str, Path]:
    """Return every secret and closed folder of the enclave, by a name."""
    keys = settings.keys
    return {
        "log key": keys / "log.key", "plan key": settings.plan_key, "vault key": settings.vault_key,
        "gate secret": settings.gate_secret, "portal token": keys / "portal.token", "proxy token": keys / "proxy.token",
        "snapshot key": keys / "snapshot.key", "drill token": settings.drill_token, "database": settings.db,
        "source": settings.source, "mapping keys": settings.deid_keys, "snapshots": settings.snapshots,
        "views": settings.views, "volumes": settings.volumes, "quarantine": settings.quarantine, "spool": settings.spool,
        "releases": settings.releases, "hub": settings.hub, "drill": settings.drill, "mounted": settings.mounted,
        "certificate key": settings.certificate_key, "certificates": settings.certificates,
        "snapshots' keys": settings.snapshot_keys, "seal of the snapshots' keys": settings.snapshot_seal,
    }  # fmt: skip


def _but(place: Place, *own: str) -> list[Path]:
    return [path for name, path in secrets(place.settings).items() if name not in own]


@attack("in.secrets-hub")
def secrets_hub(place: Place) -> Verdict:
    """What the hub's user reads beside the three tokens that are its own."""
    return _unreadable(place.settings.hub_user, _but(place, "portal token", "proxy token", "drill token", "hub"))


@attack("in.secrets-portal")
def secrets_portal(place: Place) -> Verdict:
    """What the portal's user reads: not the log's key, the mapping keys, the sources, the volumes, the hub."""
    own = (
        "plan key",
        "vault key",
        "gate secret",
        "portal token",
        "database",
        "snapshots",
        "views",
        "quarantine",
        "releases",
        "certificate key",
        "certificates",
        "snapshots' keys",
        "seal of the snapshots' keys",
    )
    return _unreadable(place.settings.app_user, _but(place, *own))


@attack("in.secrets-log")
def secrets_log(place: Place) -> Verdict:
    """What the log's user reads: nothing but its key and the database that it numbers."""
    return _unreadable(place.settings.log_user, _but(place, "log key", "database"))


@attack("in.secrets-nobody")
def secrets_nobody(place: Place) -> Verdict:
    """What anybody on the host reads."""
    return _unreadable(NOBODY, _but(place))


@attack("in.database")
def database(place: Place) -> Verdict:
    """The database for users who have no business with it."""
    address = make_url(place.settings.url)

    def reach() -> str:
        try:
            if address.get_backend_name() == "sqlite":
                sqlite3.connect(f"file:{address.database}?mode=rw", uri=True).execute(
                    "select 1 from account"
                ).fetchone()
            else:
                open_engine(str(address.set(username=None, password=None))).connect().close()
        except (sqlite3.Error, DBAPIError) as error:
            return f"refused ({type(error).__name__})"
        return "reached"

    users = (NOBODY, place.settings.hub_user)
    return judged({user: as_user(user, reach) for user in users}, lambda answer: str(answer).startswith("refused"))


@attack("in.log-rows")
def log_rows(place: Place) -> Verdict:
    """Changing and deleting entries with the portal's own rights; whatever succeeds is taken back."""
    statements = (
        "UPDATE audit_entry SET bytes = bytes",
        "DELETE FROM audit_entry",
        "UPDATE audit_leaf SET leaf_index = leaf_index",
        "DELETE FROM audit_leaf",
        "DROP TRIGGER IF EXISTS audit_entry_no_update",
    )

    def change() -> dict[str, str]:
        engine = writable(open_engine(place.settings.url))
        answers = {}
        for statement in statements[:4]:
            with engine.connect() as connection:
                try:
                    done = connection.execute(text(statement)).rowcount
                    answers[statement] = f"changed {done} rows"
                except DBAPIError as error:
                    answers[statement] = f"refused ({type(error).__name__})"
                connection.rollback()
        return answers

    answers = as_user(place.settings.app_user, change)
    return judged(dict(answers), lambda answer: str(answer).startswith("refused"))


@attack("in.proxy-api")
def proxy_api(place: Place) -> Verdict:
    """The proxy's interface, with which all traffic could be led elsewhere."""
    address = ("127.0.0.1", place.settings.proxy_api_port)
    tokens = {"none": "", "notebook's": place.token, "guessed": "0" * 64}

    def ask() -> dict[str, int]:
        answers = {}
        for name, token in tokens.items():
            said = {"Host": "x", "Connection": "close", "Authorization": f"token {token}", "Content-Length": "2"}
            for line in (
                "GET /api/routes",
                "POST /api/routes/evil",
                "DELETE /api/routes/",
                "GET /",
                "GET /api/../api/routes",
            ):
                answers[f"{name} {line}"] = send(address, head(line, said, b"{}")).status
        return answers

    return judged(dict(as_user(NOBODY, ask)), refused(400, 401, 403, 404))


@attack("in.hub-token")
def hub_token(place: Place) -> Verdict:
    """What the notebook server's token may do at the hub itself, past the door; it may say whose it is."""
    me, other = place.login, place.neighbour
    lines = (
        "GET /hub/api/users", f"GET /hub/api/users/{other}", "GET /hub/api/groups", "GET /hub/api/services",
        "GET /hub/api/proxy", "POST /hub/api/shutdown", f"POST /hub/api/users/{me}/tokens", f"GET /hub/api/users/{me}/tokens",
        f"POST /hub/api/users/{other}/activity", f"POST /hub/api/users/{me}/server", f"DELETE /hub/api/users/{other}/server",
        "POST /hub/api/users/evil", "GET /hub/api/info", "GET /hub/admin", "GET /hub/metrics", f"PATCH /hub/api/users/{me}",
    )  # fmt: skip
    address = ("127.0.0.1", place.settings.hub_port)

    def ask() -> dict[str, int]:
        host = f"{address[0]}:{address[1]}"  # under another name the hub only leads to its own
        said = {"Host": host, "Connection": "close", "Authorization": f"token {place.token}", "Content-Length": "2"}
        said["Content-Type"] = "application/json"
        return {line: send(address, head(line, said, b"{}")).status for line in (*lines, "GET /hub/api/user")}

    answers = as_user(NOBODY, ask)
    own = answers.pop("GET /hub/api/user")
    outcome, evidence = judged(dict(answers), refused(400, 403, 404, 405))
    return (outcome, f"{evidence}; its own name {own}") if own == 200 else broken(f"its own name: {own}")  # noqa: PLR2004


@attack("in.portal-loopback")
def portal_loopback(place: Place) -> Verdict:
    """Speaking for a workspace from the host or from outside: with a real token, a real id, and a guessed secret."""
    body = b'{"files": ["x.csv"]}'
    said = {
        "Connection": "close", "Authorization": f"token {place.token}", "X-Ansim-Workspace": place.plan.workspace_id,
        "X-Ansim-Gate": "0" * 64, "Content-Type": "application/json", "Content-Length": str(len(body)),
    }  # fmt: skip
    portal = place.door.host_of("portal--service")
    doors = {"loopback": ("127.0.0.1", place.settings.portal_port), "public": place.door.address}
    paths = ("/api/workspace/v1/egress/preflight", "/services/portal/../../api/workspace/v1/egress/preflight")

    def ask() -> dict[str, int]:
        return {
            f"{name} {path}": send(address, head(f"POST {path}", {"Host": portal, **said}, body)).status
            for name, address in doors.items()
            for path in paths
        }

    return judged(dict(as_user(NOBODY, ask)), refused(400, 401, 403, 404))


@attack("in.relay-direct")
def relay_direct(place: Place) -> Verdict:
    """A workspace's relay port, which any user of the host can reach: no more than the front door gives."""
    port = place.notes["relay_port"]
    lines = {
        "contents": f"/user/{place.login}/api/contents", "page": f"/user/{place.login}/lab", "files": f"/user/{place.login}/files/x",
        "neighbour": f"/user/{place.neighbour}/api/status", "hub": "/hub/api/users", "kernels": f"/user/{place.login}/api/kernels",
    }  # fmt: skip

    def ask() -> dict[str, int]:
        said = {"Host": "x", "Connection": "close"}
        return {name: send(("127.0.0.1", port), head(f"GET {path}", said)).status for name, path in lines.items()}

    answers = as_user(NOBODY, ask)
    return judged(dict(answers), refused(302, 307, 401, 403, 404))


@attack("id.operator")
def operator(place: Place) -> Verdict:
    """An operator, or anybody, with a right at the hub to open others' workspaces: the hub's own tables are read."""
    with sqlite3.connect(f"file:{place.settings.hub / 'jupyterhub.sqlite'}?mode=ro", uri=True) as rows:
        admins = rows.execute("select count(*) from users where admin").fetchone()[0]
        wide = rows.execute(
            "select count(*) from user_role_map m join roles r on r.id = m.role_id where r.name not in ('user', 'drilled')"
        ).fetchone()[0]
        services = rows.execute(
            "select s.name, r.name from service_role_map m join roles r on r.id = m.role_id join services s on s.id = m.service_id"
        ).fetchall()
        groups = rows.execute("select count(*) from group_role_map").fetchone()[0]
    if admins or wide or groups or services != [("drill", "drill")]:
        return broken(
            f"{admins} administrators, {wide} people and {groups} groups with other roles, services {services}"
        )
    return held(
        "0 administrators, 0 people and 0 groups with a role but their own; one service, the drill, for its two"
    )
