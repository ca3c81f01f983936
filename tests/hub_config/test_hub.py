"""The hub: who gets in, what starts, what a refusal looks like, and what survives a restart."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import httpx
import pytest
import websockets
from jupyterhub.utils import format_exception

from demo.forms import first_form
from enclave.errors import Conflict, Unavailable
from enclave.workspace.plan import sign_plan
from hub_config.refusal import spawn_refused
from tests.enclave.gate.world import until
from tests.hub_config.conftest import HubWorld
from tests.hub_config.core_book import CODE, refusal

pytestmark = [pytest.mark.docker, pytest.mark.slow]


def container(login: str, hub: HubWorld) -> str:
    """The running container of this login as the engine knows it, or nothing."""
    name = hub.plan_for(login)[0].container_name
    listed = subprocess.run(["docker", "ps", "-q", "-f", f"name=^{name}$"], capture_output=True, text=True, check=True)
    return listed.stdout.strip()


def spawn_page(hub: HubWorld, login: str) -> httpx.Response:
    """What a person sees who asks for their workspace in the browser and waits for the outcome."""
    session = hub.session(login)
    session.sign_in()
    pages = [session.http.get(f"{hub.public}/hub/spawn/{login}")]

    def outcome() -> bool:
        # After a second the hub shows a page that waits; it reloads itself in a browser.
        if "spawn-pending" in str(pages[-1].url) and pages[-1].status_code == 200:
            assert "작업공간을 여는 중" in pages[-1].text
            pages.append(session.http.get(pages[-1].url))
            return False
        return True

    until(outcome)
    return pages[-1]


def test_the_login_page_is_korean_and_asks_for_the_second_factor(hub: HubWorld) -> None:
    page = hub.session("kim").http.get(f"{hub.public}/hub/login").text
    assert "안심 로그인" in page
    assert 'name="otp"' in page
    assert "http://" not in page.split("<body", maxsplit=1)[-1].replace(hub.public, "").replace("http://www.w3", "")


def test_a_person_signs_in_and_the_enclave_hears_from_where(hub: HubWorld) -> None:
    hub.session("kim").sign_in()
    path, body = next(told for told in reversed(hub.core.told) if told[0] == "/login")
    assert (path, body["login"], body["code"], body["ip"]) == ("/login", "kim", "123456", "127.0.0.1")


def sign_in(hub: HubWorld, login: str, code: str = CODE) -> httpx.Response:
    """Send the login form as a browser does; returns the page that comes back."""
    session = hub.session(login)
    form = first_form(session.http.get(f"{hub.public}/hub/login").text)
    values = form.hidden | {"username": login, "password": session.person.password, "otp": code}
    return session.http.post(f"{hub.public}{form.action}", data=values)


def test_a_wrong_code_stays_on_the_page_and_says_so_in_both_languages(hub: HubWorld) -> None:
    answer = sign_in(hub, "kim", code="000000")
    assert answer.status_code == 403
    assert "2차 인증 번호가 맞지 않습니다" in answer.text
    assert "Login, password or code is wrong" in answer.text


def test_a_locked_account_is_told_so_with_its_remedy(hub: HubWorld) -> None:
    hub.core.refusals["locked"] = refusal("account.locked")
    answer = sign_in(hub, "locked")
    assert answer.status_code == 403
    assert "account.locked" in answer.text
    assert "이렇게 하세요" in answer.text
    assert "거절 &lt;b&gt;" in answer.text  # texts are shown, never executed
    assert "맞지 않습니다" not in answer.text


def test_a_portal_that_is_away_is_not_taken_for_a_wrong_password(hub: HubWorld) -> None:
    there = hub.world.settings.core_socket
    away = there.rename(there.with_suffix(".away"))
    try:
        answer = sign_in(hub, "kim")
    finally:
        away.rename(there)
    assert answer.status_code == 503
    assert "core.unreachable" in answer.text


def test_signing_out_is_reported(hub: HubWorld) -> None:
    session = hub.session("out")
    session.sign_in()
    session.http.get(f"{hub.public}/hub/logout")
    assert ("/events", {"event": "logout", "login": "out", "ip": "127.0.0.1"}) in hub.core.told


def test_a_workspace_starts_is_reported_and_answers_on_its_own_host_name(hub: HubWorld) -> None:
    session = hub.session("kim")
    session.sign_in()
    made = session.http.post(f"{hub.public}/hub/api/users/kim/server", headers=session._xsrf(session.hub), json={})
    assert made.status_code == 201, made.text
    (started,) = hub.core.heard("started", "kim")[-1:]
    assert started["container_id"].startswith(container("kim", hub))
    answer = session.http.get(f"{session.workspace}/api/sessions")
    assert "/user/kim/api/sessions" in answer.text
    for name in ("lee.", "portal--service.", ""):  # under no other name, and not under the hub's
        elsewhere = session.workspace.replace("kim.", name, 1) + "/api/sessions"
        assert session.http.get(elsewhere, follow_redirects=False).status_code != 200
    assert session.http.get(f"{session.portal}/").text == "recorded"
    assert asyncio.run(echo_over_websocket(hub, "kim")) == SIZE
    session.stop_workspace()
    until(lambda: hub.core.heard("stopped", "kim"))
    assert container("kim", hub) == ""


SIZE = '["set_size", 24, 80, 0, 0]'


async def echo_over_websocket(hub: HubWorld, login: str) -> str:
    """Speak to a terminal through proxy and gate, routed by the host name alone."""
    settings = hub.world.settings
    path = f"/user/{login}/terminals/websocket/1"
    address = f"ws://{login}.{settings.public_host}:{settings.public_port}{path}"
    origin = f"http://{login}.{settings.public_host}:{settings.public_port}"
    own = {"origin": origin, "host": "127.0.0.1", "port": settings.public_port}
    async with websockets.connect(address, **own) as link:
        await link.send(SIZE)
        return str(await link.recv())


REFUSALS = {
    "no pledge": (refusal("workspace.no-pledge"), 403),
    "another one is open": (Conflict("workspace.other-open", ko="이미", en="already"), 409),
    "the database is locked": (Unavailable("store.locked", ko="잠김", en="locked"), 503),
}


@pytest.mark.parametrize(("error", "status"), REFUSALS.values(), ids=REFUSALS)
def test_a_refused_start_shows_its_reason_and_is_no_defect(hub: HubWorld, error: Exception, status: int) -> None:
    hub.core.refusals["eve/plan"] = error  # type: ignore[assignment]
    page = spawn_page(hub, "eve")
    assert page.status_code == status
    assert error.ko.replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;") in page.text  # type: ignore[attr-defined]
    assert error.code in page.text  # type: ignore[attr-defined]
    assert container("eve", hub) == ""


def test_after_a_refusal_the_next_try_may_succeed(hub: HubWorld) -> None:
    hub.core.refusals["again/plan"] = refusal("workspace.no-pledge")
    assert spawn_page(hub, "again").status_code == 403
    del hub.core.refusals["again/plan"]
    session = hub.session("again")
    session.sign_in()
    session.start_workspace()
    session.stop_workspace()


def test_a_container_left_over_from_a_crash_does_not_block_the_next_start(hub: HubWorld) -> None:
    plan, _ = hub.plan_for("left")
    subprocess.run(
        ["docker", "run", "-d", "--name", plan.container_name, "--label", f"ansim.workspace={plan.workspace_id}",
         "--label", f"ansim.plan={plan.sha256}", "--network", "none", plan.image_id, "jupyterhub-singleuser"],
        check=True, capture_output=True,
    )  # fmt: skip
    session = hub.session("left")
    session.sign_in()
    session.start_workspace()
    session.stop_workspace()


def test_the_engine_gone_while_starting_says_so_reports_it_and_a_retry_works(hub: HubWorld) -> None:
    session = hub.session("gone")
    session.sign_in()
    session.start_workspace()  # the gate has the image's files for browsers now; it could not get them later
    session.stop_workspace()
    hub.world.stop_gate()
    hub.world.start_gate("--docker-socket", str(hub.world.home / "no-engine.sock"))
    try:
        page = spawn_page(hub, "gone")
        assert page.status_code == 503
        assert "engine" in page.text
        assert [body["code"] for body in hub.core.heard("failed", "gone")] == ["engine.unavailable"]
    finally:  # the tests that follow need the engine
        hub.world.stop_gate()
        hub.world.start_gate()
    session.start_workspace()
    session.stop_workspace()


def test_a_start_that_fails_late_shows_its_reason_too() -> None:
    """After a second the hub's waiting page takes over, which reads the reason from other attributes."""
    refused = spawn_refused(Unavailable("engine.gone", ko="<엔진> 없음", en="no engine", remedy_ko="기다리세요"))
    text, html = format_exception(refused, only_jupyterhub=True)
    assert "<엔진> 없음 기다리세요" in text
    assert "&lt;엔진&gt; 없음" in html


def test_the_gate_gone_while_starting_says_so_and_a_retry_works(hub: HubWorld) -> None:
    hub.world.stop_gate(signal.SIGKILL)
    # The portal had registered the plan before the gate went away.
    plan = hub.world.plan(workspace_id="nogate", login="nogate")
    hub.core.plan_for = lambda _login: (plan, sign_plan(plan, hub.world.key))
    page = spawn_page(hub, "nogate")
    assert page.status_code == 503
    hub.world.start_gate()
    hub.core.plan_for = hub.plan_for
    session = hub.session("nogate")
    session.sign_in()
    session.start_workspace()
    session.stop_workspace()


def test_a_start_that_cannot_be_recorded_does_not_stay_open(hub: HubWorld) -> None:
    hub.core.refusals["started"] = Unavailable("store.locked", ko="기록할 수 없음", en="cannot be recorded")
    page = spawn_page(hub, "norecord")
    del hub.core.refusals["started"]
    assert page.status_code == 503
    assert container("norecord", hub) == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["asked", "killed"])
def test_a_restarted_hub_cuts_nobody_off_and_knows_what_runs(hub: HubWorld, number: int) -> None:
    session = hub.session("stay")
    session.sign_in()
    session.start_workspace()
    before = container("stay", hub)
    hub.stop("hub", number)
    # Through the proxy and the gate, while there is no hub.
    assert "/user/stay/api/sessions" in session.http.get(f"{session.workspace}/api/sessions").text
    hub.start_hub()
    assert container("stay", hub) == before
    again = hub.session("stay")
    again.sign_in()
    assert "/user/stay/api/sessions" in again.http.get(f"{again.workspace}/api/sessions").text
    again.stop_workspace()
    until(lambda: container("stay", hub) == "")


def test_a_proxy_that_was_killed_gets_its_routes_back(hub: HubWorld) -> None:
    session = hub.session("routed")
    session.sign_in()
    session.start_workspace()
    hub.stop("proxy", signal.SIGKILL)
    hub.start("proxy", sys.executable, "-m", "hub_config.proxy")

    def answers() -> bool:
        try:
            return session.http.get(f"{session.workspace}/api/status").status_code == 200
        except httpx.HTTPError:
            return False

    until(answers, seconds=60)
    session.stop_workspace()


def test_a_hub_that_lost_its_database_starts_the_workspace_anew_in_place_of_the_old_one(hub: HubWorld) -> None:
    session = hub.session("lost")
    session.sign_in()
    session.start_workspace()
    before = container("lost", hub)
    hub.stop("hub", signal.SIGKILL)
    for path in hub.world.settings.hub.glob("jupyterhub.sqlite*"):
        path.unlink()
    hub.start_hub()
    assert container("lost", hub) == before  # nobody's now: the gate's look-out removes it if nobody starts it
    again = hub.session("lost")
    again.sign_in()
    again.start_workspace()
    assert container("lost", hub) not in {"", before}
    again.stop_workspace()


def test_the_hub_itself_cannot_ask_the_engine_for_anything_else(hub: HubWorld) -> None:
    # As the hub's own user, past its code: what a taken-over hub could do.
    code = (
        f"import docker; c = docker.APIClient(base_url='unix://{hub.world.settings.engine_socket}', version='1.41');"
        "print(c.create_container_from_config({'Image': 'x', 'HostConfig': {'Privileged': True}}, 'x'))"
    )
    asked = subprocess.run([sys.executable, "-c", code], user="daemon", capture_output=True, text=True, check=False)
    assert "gate.create-malformed" in asked.stderr


def test_a_user_cannot_choose_anything_about_the_container(hub: HubWorld) -> None:
    session = hub.session("choosy")
    session.sign_in()
    wish = {"image": "evil:latest", "privileged": True}
    address = f"{hub.public}/hub/api/users/choosy/server"
    session.http.post(address, headers=session._xsrf(session.hub), json={"user_options": wish})
    listed = subprocess.run(["docker", "ps", "--format", "{{.Image}}"], capture_output=True, text=True, check=True)
    assert "evil" not in listed.stdout
    session.stop_workspace()
