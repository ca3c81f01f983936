"""The relays: the notebook is reachable, the hub and the portal are reachable from inside, nothing else is."""

from __future__ import annotations

import asyncio
import signal

import docker
import httpx
import pytest
import websockets

from enclave.errors import Conflict, NotFound
from tests.enclave.gate.world import Workspace, World, until

pytestmark = pytest.mark.docker

CALL = """
import http.client, json, sys
c = http.client.HTTPConnection("127.0.0.1", {port}, timeout=10)
c.request({method!r}, {path!r}, {body!r}, {headers!r})
r = c.getresponse(); print(r.status, r.read().decode())
"""


def call(workspace: Workspace, port: int, method: str, path: str, **headers: str) -> str:
    body = "{}" if method == "POST" else None
    return workspace.python(CALL.format(port=port, method=method, path=path, body=body, headers=headers))


def test_a_workspace_answers_through_its_port(workspace: Workspace) -> None:
    assert workspace.python("import os; print(os.getuid(), os.listdir('/data/nafld'))") == (
        f"{workspace.plan.uid} ['labs.parquet']\n\n[exit 0]"
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/hub/api"),
        ("GET", "/hub/api/user"),
        ("POST", "/hub/api/users/kim/activity"),
        ("POST", "/hub/api/oauth2/token"),
    ],
)
def test_what_a_notebook_server_needs_of_the_hub_passes(workspace: Workspace, method: str, path: str) -> None:
    assert call(workspace, 8081, method, path, Authorization="token secret").startswith("200 recorded")
    seen = workspace.world.hub.seen[-1]
    assert seen[:2] == (method, path)
    assert {key.lower(): value for key, value in seen[2].items()}["authorization"] == "token secret"


def test_the_portal_is_told_whose_workspace_asks_whatever_the_asker_says(workspace: Workspace) -> None:
    spoof = {"X-Ansim-Workspace": "another", "x-ansim-gate": "guess", "X_Ansim_Workspace": "a", "X-Forwarded-For": "b"}
    assert call(workspace, 8085, "POST", "/api/workspace/v1/egress/preflight", **spoof).startswith("200 recorded")
    headers = {key.lower(): value for key, value in workspace.world.portal.seen[-1][2].items()}
    assert headers["x-ansim-workspace"] == workspace.plan.workspace_id
    assert headers["x-ansim-gate"] == workspace.world.settings.gate_secret.read_text()
    assert not {"x-forwarded-for", "x_ansim_workspace"} & set(headers)


def test_a_websocket_passes(workspace: Workspace) -> None:
    address = f"ws://127.0.0.1:{workspace.port}/user/kim/terminals/websocket/1"
    origin = workspace.world.settings.public_url.replace("://", "://kim.")

    async def echo() -> str:
        async with websockets.connect(address, origin=origin) as link:
            await link.send('["set_size", 24, 80, 0, 0]')
            return str(await link.recv())

    assert asyncio.run(echo()) == '["set_size", 24, 80, 0, 0]'


@pytest.mark.parametrize(
    "path",
    [
        "files/a.csv",
        "FILES/a.csv",
        "%66iles/a.csv",
        "%2566iles/a.csv",
        "./files/a",
        "lab/../files/a",
        "lab/%2e%2e/files/a",
        "view/a",
        "nbconvert/html/a.ipynb",
        "api/nbconvert",
        "terminals/1",
        "terminals/websocket/1",
        "proxy/8080/",
        "lsp/ws",
        "api/shutdown",
        "api/contents/a.csv?format=base64",
        "api/contents/a.csv?content=1&form%61t=base64",
        "api/contents/a.csv?download=1",
    ],
)
def test_a_route_that_hands_out_files_is_refused_before_it_reaches_the_workspace(
    workspace: Workspace, path: str
) -> None:
    request = httpx.Request("GET", f"http://127.0.0.1:{workspace.port}/")
    # The address as a text, so that the client does not tidy it up.
    request = httpx.Request(
        "GET", request.url, extensions={"target": f"/user/kim/{path}".encode()}, headers={"Host": "x"}
    )
    with httpx.Client() as client:
        assert client.send(request).status_code == 403


def test_another_ones_address_is_refused_on_this_port(workspace: Workspace) -> None:
    assert httpx.get(f"http://127.0.0.1:{workspace.port}/user/lee/api").status_code == 403


def test_bytes_to_the_browser_are_counted(workspace: Workspace) -> None:
    name = workspace.plan.workspace_id
    before = workspace.world.gate.status()["relays"][name]["sent_bytes"]
    said = httpx.get(f"http://127.0.0.1:{workspace.port}/user/kim/lab", headers={"X-Long": "x" * 10_000})
    assert len(said.content) >= 10_000
    assert workspace.world.gate.status()["relays"][name]["sent_bytes"] == before + len(said.content)


def test_asking_for_the_same_relay_again_gives_the_same_port(workspace: Workspace) -> None:
    again = workspace.world.gate.relay(workspace.plan.workspace_id, workspace.container)
    assert again == (workspace.host, workspace.port)


def test_a_workspace_that_dies_at_start_is_told_with_its_last_line(world: World) -> None:
    plan = world.plan(environment={"ANSIM_TEST_DIE": "1"})
    with pytest.raises(Conflict, match="the agent was told to die"):
        world.run(plan)
    assert plan.workspace_id not in world.gate.status()["relays"]
    world.gate.revoke(plan.workspace_id)


def test_a_relay_into_somebody_elses_container_is_refused(world: World, workspace: Workspace) -> None:
    plan = world.plan()
    world.register(plan)
    with pytest.raises(NotFound):
        world.gate.relay(plan.workspace_id, workspace.container)
    world.gate.revoke(plan.workspace_id)


def test_revoking_stops_and_cuts_and_may_be_repeated(world: World) -> None:
    mine = world.run()
    world.gate.revoke(mine.plan.workspace_id)
    world.gate.revoke(mine.plan.workspace_id)
    assert mine.plan.workspace_id not in world.gate.status()["relays"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{mine.port}/user/kim/api")
    with pytest.raises(Exception, match="plan-unknown"):
        world.create(mine.plan)
    world.gate.remove_volumes(mine.plan.workspace_id)
    assert not (world.settings.volumes / mine.plan.workspace_id).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["asked", "killed"])
def test_a_restarted_gate_takes_up_running_workspaces_on_the_same_port(
    world: World, workspace: Workspace, number: int
) -> None:
    workspace.python("open('/home/analyst/work/kept', 'w').write('still here')")
    world.stop_gate(number)
    world.start_gate()
    figures = until(lambda: world.gate.status()["relays"].get(workspace.plan.workspace_id))
    assert figures["port"] == workspace.port
    assert workspace.python("print(open('/home/analyst/work/kept').read())").startswith("still here")
    assert call(workspace, 8081, "GET", "/hub/api").startswith("200")


def test_a_workspace_revoked_while_the_gate_was_away_is_stopped_when_it_returns(world: World) -> None:
    mine = world.run()
    world.stop_gate(signal.SIGKILL)
    (world.settings.volumes / mine.plan.workspace_id / "current").unlink()
    world.start_gate()
    until(lambda: _gone(world, mine))


def _gone(world: World, mine: Workspace) -> bool:
    client = world.engine()
    try:
        client.inspect_container(mine.container)
    except docker.errors.NotFound:
        return True
    finally:
        client.close()
    return False
