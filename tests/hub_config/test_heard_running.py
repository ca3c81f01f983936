"""A running JupyterHub, its pages and its interface, servers without an engine: what happens is told, and told once."""

from __future__ import annotations

import base64
import hashlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from demo.forms import first_form
from demo.session import Session
from demo.show import StepFailedError
from enclave.settings import Settings
from tests.enclave.gate.world import Recorder, until
from tests.hub_config.core_book import CoreBook
from tests.hub_config.processes import PORTS, PROXY, USER, HubProcesses, make_tokens
from tests.ports import free_ports

pytestmark = pytest.mark.slow
# What else a request might set off comes at once after it.
SETTLE_S = 1.0


@pytest.fixture(scope="module")
def hub() -> Iterator[HubProcesses]:
    """Our hub's configuration without engine and gate; the portal is a page that answers everybody."""
    if not PROXY.exists():
        pytest.fail("the proxy is not installed: run `make setup`")
    home, portal = Path(tempfile.mkdtemp(prefix="ansim-h-", dir="/tmp")), Recorder()
    home.chmod(0o755)
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    values = [f"{name} = {port}" for name, port in {**ports, "portal_port": portal.server_port}.items()]
    (home / "config.toml").write_text("\n".join([*values, f'run_folder = "{home}/run"', f'hub_user = "{USER}"']))
    settings = Settings.load(home)
    for folder in (settings.keys, settings.hub, settings.run_folder):
        folder.mkdir()
    shutil.chown(settings.hub, USER, USER)
    make_tokens(settings)
    core = CoreBook(settings.core_socket, lambda _login: pytest.fail("no plan is asked for here"))
    made = HubProcesses(settings, core, Path(__file__).with_name("plain_config.py"))
    try:
        made.start_all()
        yield made
    finally:
        made.end()
        portal.shutdown()
        portal.server_close()
        shutil.rmtree(home)


class Told:
    """What the enclave is told from here on."""

    def __init__(self, hub: HubProcesses) -> None:
        self.hub, self.start = hub, len(hub.core.told)

    def all(self) -> list[tuple[str, ...]]:
        told = self.hub.core.told[self.start :]
        return [
            (body["event"], body["login"], body.get("route", "")) if path == "/events" else (path, body["login"])
            for path, body in told
        ]

    def once(self, *wanted: tuple[str, ...]) -> None:
        """These and nothing else, each as often as it is named."""
        until(lambda: len(self.all()) >= len(wanted))
        time.sleep(SETTLE_S)
        assert sorted(self.all()) == sorted(wanted)


def signed_in(hub: HubProcesses, login: str) -> Session:
    session = hub.session(login)
    session.sign_in()
    return session


def through(session: Session, address: str) -> httpx.Response:
    """Open an address as a browser does: the hub's question whether the server may know is agreed to."""
    answer = session.http.get(address)
    if "/oauth2/authorize" in str(answer.url) and answer.status_code == 200:
        form = first_form(answer.text)
        answer = session.http.post(str(answer.url), data=dict(form.hidden), headers={"Referer": str(answer.url)})
    return answer


def at_server(session: Session, login: str, method: str) -> int:
    address = f"{session.hub}/hub/api/users/{login}/server"
    # Trap: a body without the key `user_options` is taken as the user options; an empty one is none.
    given = {"json": {}} if method == "POST" else {}
    return session.http.request(method, address, headers=session._xsrf(session.hub), **given).status_code


def place_of(session: Session, login: str) -> str:
    scheme, rest = session.hub.split("://")
    return f"{scheme}://{login}.{rest}/user/{login}/"


@pytest.fixture(scope="module")
def mina(hub: HubProcesses) -> Session:
    """Signed in, her server runs."""
    session = signed_in(hub, "mina")
    assert at_server(session, "mina", "POST") in {201, 202}
    until(lambda: "hello mina" in through(session, place_of(session, "mina")).text, seconds=60)
    return session


def test_a_sign_in_that_fails_and_one_that_does_not_are_each_asked_of_the_enclave_once(hub: HubProcesses) -> None:
    told = Told(hub)
    session = hub.session("mistaken")
    session.code = lambda: "000000"
    with pytest.raises(StepFailedError):
        session.sign_in()
    told.once(("/login", "mistaken"))
    told = Told(hub)
    signed_in(hub, "careful")
    told.once(("/login", "careful"))


def test_signing_out_is_told_once(hub: HubProcesses) -> None:
    session = signed_in(hub, "leaver")
    told = Told(hub)
    session.http.get(f"{hub.public}/hub/logout")
    told.once(("logout", "leaver", ""))


def test_the_portals_token_is_told_when_it_is_issued_and_a_code_that_is_used_twice_gives_none(
    hub: HubProcesses,
) -> None:
    session, told = signed_in(hub, "guest"), Told(hub)
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = f"{hub.public.replace('://', '://portal--service.')}/services/portal/oauth_callback"
    asked = {
        "client_id": "service-portal", "redirect_uri": back, "response_type": "code", "state": "s",
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    answer = session.http.get(f"{hub.public}/hub/api/oauth2/authorize", params=asked)
    (code,) = parse_qs(urlsplit(str(answer.url)).query)["code"]
    form = {
        "client_id": "service-portal", "client_secret": (hub.settings.keys / "portal.token").read_text(),
        "grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier,
    }  # fmt: skip
    tokens = f"http://127.0.0.1:{hub.settings.hub_port}/hub/api/oauth2/token"
    assert httpx.post(tokens, data=form).status_code == 200
    told.once(("token-issued", "guest", "portal"))
    assert httpx.post(tokens, data=form).status_code >= 400
    told.once(("token-issued", "guest", "portal"))


def test_a_persons_own_server_gets_a_token_and_it_is_told_once(hub: HubProcesses, mina: Session) -> None:
    again, told = signed_in(hub, "mina"), Told(hub)
    assert through(again, place_of(again, "mina")).text == "hello mina"
    told.once(("token-issued", "mina", "workspace"))
    assert through(again, place_of(again, "mina")).text == "hello mina"
    told.once(("token-issued", "mina", "workspace"))


def test_an_administrator_in_somebodys_server_is_told_as_that(hub: HubProcesses, mina: Session) -> None:
    snoop, told = signed_in(hub, "snoop"), Told(hub)
    assert through(snoop, place_of(mina, "mina")).text == "hello snoop"
    told.once(("admin-access", "snoop", "workspace"))


def test_an_administrator_who_starts_and_stops_somebodys_server_is_told_as_that(hub: HubProcesses) -> None:
    signed_in(hub, "away")
    snoop, told = signed_in(hub, "snoop"), Told(hub)
    until(lambda: at_server(snoop, "away", "POST") in {201, 202, 400})
    told.once(("admin-start", "snoop", "api/users"))
    until(lambda: at_server(snoop, "away", "DELETE") in {202, 204}, seconds=60)
    told.once(("admin-start", "snoop", "api/users"), ("admin-stop", "snoop", "api/users"))
    until(lambda: snoop.http.get(f"{hub.public}/hub/spawn/away").status_code == 200, seconds=60)
    until(lambda: ("admin-start", "snoop", "spawn") in told.all())


CLOSED = {"/hub/token": "token", "/hub/admin": "admin", "/hub/api/users/mina/tokens": "api/users/tokens",
          "/hub/api/users": "api/users", "/hub/metrics": "metrics"}  # fmt: skip


@pytest.mark.parametrize("login", ["nosy", "snoop"])
@pytest.mark.parametrize("path", CLOSED)
def test_a_closed_page_is_refused_to_everybody_and_told_once(hub: HubProcesses, path: str, login: str) -> None:
    session = signed_in(hub, login)
    told = Told(hub)
    assert session.http.get(f"{hub.public}{path}").status_code == 403
    told.once(("route-refused", login, CLOSED[path]))


def test_what_is_refused_at_an_open_door_is_told_once(hub: HubProcesses, mina: Session) -> None:
    session, told = signed_in(hub, "nosy"), Told(hub)
    wanted = []
    for method in ("POST", "DELETE"):
        assert at_server(session, "mina", method) in {403, 404}
        wanted.append(("access-refused", "nosy", "api/users"))
        told.once(*wanted)
    for page in ("spawn", "spawn-pending", "user"):
        assert session.http.get(f"{hub.public}/hub/{page}/mina").status_code in {403, 404}, page
        wanted.append(("access-refused", "nosy", page))
        told.once(*wanted)
    told = Told(hub)
    assert through(session, place_of(mina, "mina")).status_code == 403
    told.once(("access-refused", "nosy", "api/oauth2/authorize"))
