"""The two doors that browsers never see: the hub's core API on its socket, the workspaces' API behind the gate.

The gate here is the gate's own code: plans, volumes on loop images, and the collector, on its unix socket.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pwd
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from audit.tables import audit_entry
from enclave import clock, keys
from enclave.actor import Actor
from enclave.commands import people, project
from enclave.gate.assets import Assets
from enclave.gate.bridge.bridge import Bridge
from enclave.gate.commands import Commands, Parts
from enclave.gate.dockerd import Dockerd
from enclave.gate.door.book import Books
from enclave.gate.door.front import Front
from enclave.gate.door.screens import Screens
from enclave.gate.door.visit import addresses_of
from enclave.gate.fastened import Fastened
from enclave.gate.gpus import Gpus
from enclave.gate.inbound import portal_door
from enclave.gate.plans import Plans
from enclave.gate.relay import Relays
from enclave.gate.spool import Spool
from enclave.gate.volumes import Volumes
from enclave.gate.wire import limited
from enclave.portal import core_api
from enclave.portal.__main__ import reap
from enclave.portal.known import _marks
from enclave.portal.serve import core_socket
from enclave.queries import dataset, egress, workspace
from enclave.queries import people as people_queries
from enclave.settings import Settings
from enclave.workspace.mounts import Roots
from enclave.workspace.plan import verify_plan
from tests.enclave.portal.hub_peer import Running
from tests.enclave.portal.world import ROOT, SMALL, TABLE, World

SECRET = "a-secret-of-the-gate-0123456789abcdef"
IMAGE = "sha256:" + "0" * 64
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="loop mounts need root")


class GateOf:
    """The gate's commands on the socket that a portal's settings name."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.volumes = settings, Volumes(settings.volumes)
        settings.volumes.mkdir(exist_ok=True)
        settings.staging.mkdir(exist_ok=True)
        Roots.under(settings.home).config.mkdir(exist_ok=True)
        self.loop = asyncio.new_event_loop()
        self.ready, self.stop_now = threading.Event(), asyncio.Event()
        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._serve()))
        self.thread.start()
        assert self.ready.wait(60)

    async def _serve(self) -> None:
        docker, roots = Dockerd(Path("/var/run/docker.sock")), Roots.under(self.settings.home)
        plans = Plans(roots, self.settings.plan_key.with_suffix(".pub"))
        self.spool = spool = Spool(self.settings.spool)
        screens, books = Screens(self.settings.volumes, clock.now), Books(self.settings.volumes, clock.now)
        assets = Assets(self.settings.home / "assets", docker)
        self.front = front = Front(spool, addresses_of(self.settings), assets, screens, books)
        bridge = Bridge(self.settings, docker, spool)
        relays = Relays(docker, plans, lambda plan: [], front=front, bridge=bridge)
        root = pwd.getpwuid(0)
        views, staging = Fastened(roots), self.settings.staging
        parts = Parts(docker, plans, relays, self.volumes, views, bridge, staging, spool, clock.now, Gpus())
        commands = Commands(parts, app=root, hub=root)
        server = await asyncio.start_unix_server(limited(commands.serve, most=16), path=self.settings.gate_socket)
        self.ready.set()
        await self.stop_now.wait()
        server.close()
        await commands.reruns.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.stop_now.set)
        self.thread.join(60)
        self.loop.close()
        for folder in self.settings.volumes.iterdir():
            Fastened(Roots.under(self.settings.home)).release(folder.name)
            self.volumes.remove(folder.name)


class Core:
    """The hub's side of the core API."""

    def __init__(self, world: World) -> None:
        path = world.settings.core_socket
        self.running = Running(core_api.create(world.portal), core_socket(path, "no-such-group"))
        self.http = httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://core", timeout=60)

    def ask(self, path: str, **body: str) -> httpx.Response:
        if path.endswith("/plan"):
            body.setdefault("ip", "127.0.0.1")
        return self.http.post(path, json=body)

    def stop(self) -> None:
        self.http.close()
        self.running.stop()


@pytest.fixture
def core(world: World) -> Iterator[Core]:
    config = world.home / "config.toml"
    config.write_text(config.read_text() + f'image = "{IMAGE}"\n')
    object.__setattr__(world.portal, "settings", Settings.load(world.home))
    made = Core(world)
    yield made
    made.stop()


@pytest.fixture
def gate(world: World) -> Iterator[GateOf]:
    made = GateOf(world.settings)
    yield made
    made.stop()


@pytest.fixture
def place(world: World, core: Core, gate: GateOf) -> workspace.WorkspaceView:
    """Mina's workspace, asked for by the hub and known to the gate."""
    answer = core.ask("/workspaces/mina/plan")
    assert answer.status_code == 200, answer.text
    return workspace.mine(world.store, world.actor("mina"))[0]


def inside(world: World, place: workspace.WorkspaceView, login: str = "mina", **changes: str) -> httpx.Client:
    """What reaches the portal of a call from inside a workspace, with the headers the gate itself adds."""
    token = f"server-token-of-{login}"
    world.peer.tokens[token] = (login, "")
    says = {name.decode(): value.decode() for name, value in portal_door(place.id, SECRET, 1).says}
    headers = says | {"authorization": f"token {token}"} | changes
    client = httpx.Client(base_url=f"http://127.0.0.1:{world.port}/api/workspace/v1", headers=headers, timeout=60)
    world.browsers.append(client)  # type: ignore[arg-type]
    return client


def outbox(gate: GateOf, place: workspace.WorkspaceView, **files: bytes) -> list[str]:
    folder = gate.volumes.outbox(place.id) / "batch"
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.csv").write_bytes(data)
    return [f"batch/{name}.csv" for name in files]


def entries(world: World, action: str) -> list[dict[str, object]]:
    with world.store.read() as rows:
        found = [json.loads(each) for each in rows.scalars(audit_entry.select().with_only_columns(audit_entry.c.bytes))]
    return [each for each in found if each["action"] == action]


def test_the_hub_signs_people_in_with_both_factors_only(world: World, core: Core) -> None:
    right = {"login": "mina", "password": "demo-only-mina-2026", "ip": "10.1.2.3"}
    code = world.code("mina")
    assert core.ask("/login", **right, code="000000").json()["code"] == "account.wrong"
    assert core.ask("/login", **(right | {"password": "x"}), code=code).status_code == 403
    assert core.ask("/login", **right, code=code).json() == {"login": "mina"}
    assert core.ask("/login", **right, code=code).status_code == 403, "a code is good once"
    assert [each["outcome"] for each in entries(world, "account.log-in")] == ["denied", "denied", "done", "denied"]
    assert entries(world, "account.log-in")[-1]["from"]["ip"] == "10.1.2.3"  # type: ignore[index]


def test_a_claim_is_refused_where_no_identity_provider_is_configured(world: World, core: Core) -> None:
    answer = core.ask("/login/oidc", subject="mina", ip="10.1.2.3")
    assert (answer.status_code, answer.json()["code"]) == (403, "core.no-provider")
    (entry,) = entries(world, "account.log-in")
    assert (entry["outcome"], entry["reason"], entry["details"]) == (
        "denied", {"code": "core.no-provider"}, {"by": "oidc"},
    )  # fmt: skip


def test_a_claim_opens_only_an_account_that_exists_and_is_open(world: World, core: Core) -> None:
    object.__setattr__(world.portal.settings, "oidc", {"client_id": "ansim"})
    account = world.actor("mina").account_id
    assert core.ask("/login/oidc", subject="mina", ip="10.1.2.3").json() == {"login": "mina"}
    assert core.ask("/login/oidc", subject="nobody").status_code == 403
    people.end_account(world.store, Actor.console(), login="mina", reason="퇴사", now=clock.now())
    assert core.ask("/login/oidc", subject="mina").json()["code"] == "account.closed"
    told = entries(world, "account.log-in")
    assert [each["outcome"] for each in told] == ["done", "denied", "denied"]
    assert [each["object"]["id"] == account for each in told] == [True, False, True]  # type: ignore[index]
    assert "nobody" not in str(told), "what a provider says of a stranger is no word for the log"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/login", {"login": "mina"}), ("/login", {"login": 1, "password": "x"}),
     ("/workspaces/mina/plan", {"project": "p"}), ("/workspaces/mina/started", {}), ("/events", {"event": "logout"})],
)  # fmt: skip
def test_a_body_that_is_not_as_documented_is_refused_by_name(core: Core, path: str, body: dict[str, object]) -> None:
    answer = core.http.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "portal.unreadable")


def test_a_plan_is_signed_known_to_the_gate_and_shows_approved_columns_only(
    world: World, core: Core, gate: GateOf
) -> None:
    answer = core.ask("/workspaces/mina/plan").json()
    public = keys.load_public_key(world.settings.plan_key.with_suffix(".pub"))
    plan = verify_plan(answer["plan"].encode(), base64.b64decode(answer["signature"]), public)
    assert (plan.login, plan.image_id, plan.project_id) == ("mina", IMAGE, world.project_id)
    import pyarrow.parquet as pq

    (view,) = (mount for mount in plan.mounts if mount.kind == "view")
    (table,) = Path(view.source).rglob("*.parquet")
    assert pq.read_schema(table).names == ["patient", "sex", "age", "amount"]
    assert gate.volumes.outbox(plan.workspace_id).is_dir()
    started = {"workspace_id": plan.workspace_id, "container_id": "c" * 64, "plan_sha256": plan.sha256}
    assert core.ask("/workspaces/jiwoo/started", **started).status_code == 404, "somebody else's"
    assert core.ask("/workspaces/mina/started", **(started | {"plan_sha256": "0" * 64})).status_code == 409
    assert core.ask("/workspaces/mina/started", **started).json() == {}
    assert world.browser("mina").get(f"{ROOT}/").text.count(f"{ROOT}/desk/{plan.workspace_id}") == 1
    assert core.ask("/workspaces/mina/stopped", workspace_id=plan.workspace_id, reason="허브에서 닫음").json() == {}


def test_a_start_that_the_gate_cannot_take_leaves_a_consistent_state_and_can_be_tried_again(
    world: World, core: Core
) -> None:
    answer = core.ask("/workspaces/mina/plan")
    assert (answer.status_code, answer.json()["code"]) == (503, "gate.unreachable")
    (found,) = workspace.mine(world.store, world.actor("mina"))
    assert (found.state.value, found.reason) == ("failed", "gate.unreachable")
    gate = GateOf(world.settings)
    try:
        assert core.ask("/workspaces/mina/plan").status_code == 200
    finally:
        gate.stop()


def test_a_refused_start_tells_the_hub_the_reason(world: World, core: Core) -> None:
    assert core.ask("/workspaces/dahye/plan").json()["code"] == "project.not-member"
    project.end_project(world.store, world.actor("jiwoo"), project_id=world.project_id, reason="끝남", now=clock.now())
    answer = core.ask("/workspaces/mina/plan")
    assert (answer.status_code, answer.json()["code"]) == (403, "project.not-active")
    assert answer.json()["remedy_ko"]


def test_signing_out_of_the_hub_is_the_accounts_own_entry(world: World, core: Core) -> None:
    assert core.ask("/events", event="logout", login="mina", ip="10.9.9.9").json() == {}
    (entry,) = entries(world, "account.log-out")
    assert entry["from"]["ip"] == "10.9.9.9"  # type: ignore[index]


def test_a_closed_page_of_the_hub_is_an_entry_about_the_account_without_its_name(world: World, core: Core) -> None:
    told = {"event": "route-refused", "login": "mina", "ip": "10.9.9.9", "route": "token", "path_sha256": "0" * 64}
    assert core.ask("/events", **told).json() == {}
    (entry,) = entries(world, "hub.event")
    assert entry["object"] == {"kind": "account", "id": world.actor("mina").account_id}
    assert entry["details"] == {"kind": "route-refused", "ip": "10.9.9.9", "route": "token", "path_sha256": "0" * 64}


@needs_root
def test_the_project_chosen_in_the_portal_is_the_one_that_opens(world: World, core: Core, gate: GateOf) -> None:
    browser = world.browser("mina")
    browser.get(f"{ROOT}/projects/p-somebody-elses/start")
    assert core.ask("/workspaces/mina/plan").status_code in {403, 404}, "a wish is not a right"
    browser.get(f"{ROOT}/projects/{world.project_id}/start")
    assert core.ask("/workspaces/mina/plan").status_code == 200


@needs_root
@pytest.mark.parametrize(
    "headers",
    [{"x-ansim-gate": ""}, {"x-ansim-gate": "guess"}, {"x-ansim-gate": SECRET + "x"}, {"x-ansim-gate": SECRET[:-1]},
     {"authorization": ""}, {"authorization": "token stolen-or-made-up"}, {"authorization": "Basic bWluYQ=="}],
    ids=["no secret", "wrong secret", "longer", "shorter", "no token", "unknown token", "other scheme"],
)  # fmt: skip
def test_a_call_that_did_not_come_through_the_gate_gets_nothing(
    world: World, place: workspace.WorkspaceView, headers: dict[str, str]
) -> None:
    caller = inside(world, place, **headers)
    for method, path in (("POST", "/egress/preflight"), ("POST", "/egress/submit"), ("GET", "/egress/status/e-x")):
        body = {"files": ["a.csv"], "purpose": "x", "context": "y", "key": "12345678"}
        answer = caller.request(method, path, json=body if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "portal.workspace-only"), path


@needs_root
def test_a_forged_gate_header_from_the_public_side_gets_nothing(world: World, place: workspace.WorkspaceView) -> None:
    # The proxy hands the portal only what lies below its service prefix; even if it did more, the secret is needed.
    browser = world.browser("mina")
    forged = {"X-Ansim-Gate": "0" * 37, "X-Ansim-Workspace": place.id}
    body = {"files": ["a.csv"]}
    for path in ("/api/workspace/v1/egress/preflight", f"{ROOT}/api/workspace/v1/egress/preflight"):
        assert browser.post(path, headers=forged, json=body).status_code in {403, 404}


@needs_root
def test_a_person_cannot_speak_for_a_workspace_that_is_not_theirs(world: World, place: workspace.WorkspaceView) -> None:
    # Jiwoo is in the same project, but this is Mina's workspace: token and gate must name the same person.
    answer = inside(world, place, "jiwoo").post("/egress/preflight", json={"files": ["batch/a.csv"]})
    assert (answer.status_code, answer.json()["code"]) == (404, "workspace.unknown")


@needs_root
def test_a_notebook_checks_submits_and_asks_for_the_state(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    names = outbox(gate, place, good=TABLE.encode(), small=SMALL.encode())
    caller = inside(world, place)
    told = caller.post("/egress/preflight", json={"files": [*names, "batch/none.csv"]}).json()
    assert [(each["name"], each["verdict"]) for each in told["files"]] == [
        ("batch/good.csv", "PASS"), ("batch/small.csv", "BLOCK"), ("batch/none.csv", "BLOCK"),
    ]  # fmt: skip
    assert told["files"][1]["findings"][0]["rule"] == "cell.small"

    body = {"files": ["batch/good.csv"], "purpose": "표 2", "context": "연령대별", "key": "one-click-1"}
    first, second = (caller.post("/egress/submit", json=body).json() for _ in range(2))
    assert first["id"] == second["id"], "the same key is the same request"
    found = egress.request(world.store, world.actor("mina"), first["id"], now=clock.now())
    assert [(file.name, file.verdict) for file in found.files] == [("good.csv", "PASS")]
    with world.portal.quarantine.open(found.files[0].sha256) as stored:
        assert stored.read() == TABLE.encode()
    for route in (f"/egress/status/{first['id']}", f"/egress/{first['id']}"):
        assert caller.get(route).json()["state"] == "submitted"
    assert list(world.settings.staging.iterdir()) == [], "no copy stays behind"


@needs_root
def test_a_notebook_gets_a_repaired_file_back_and_nothing_is_kept(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    names = outbox(gate, place, small=SMALL.encode())
    caller = inside(world, place)
    (told,) = caller.post("/egress/preflight", json={"files": names}).json()["files"]
    assert "suppress" in told["findings"][0]["repairs"]
    made = caller.post("/egress/repair", json={"file": names[0], "repair": "suppress"}).json()
    assert made["name"] == "small.repaired.csv"
    assert made["verdict"] != "BLOCK"
    assert b"*" in base64.b64decode(made["content"])
    assert list(world.settings.staging.iterdir()) == []
    refused = caller.post("/egress/repair", json={"file": names[0], "repair": "wish"})
    assert (refused.status_code, refused.json()["code"]) == (422, "repair.unknown")
    assert caller.post("/egress/repair", json={"file": "batch/none.csv", "repair": "suppress"}).status_code == 422
    stranger = inside(world, place, authorization="token stolen-or-made-up")
    assert stranger.post("/egress/repair", json={"file": names[0], "repair": "suppress"}).status_code == 403


@needs_root
def test_the_repair_that_a_check_itself_names_is_offered_before_and_after_asking_and_can_be_had(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    folder, caller = gate.volumes.outbox(place.id) / "batch", inside(world, place)
    folder.mkdir(exist_ok=True)
    printed = {"output_type": "stream", "name": "stdout", "text": "평균 12.5"}
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "mean()", "outputs": [printed]}
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (folder / "book.ipynb").write_text(json.dumps(book))
    dots = "".join(f'<circle cx="{20 + 9 * n}" cy="{30 + n * n % 70}" r="2"/>' for n in range(30))
    (folder / "dots.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300">{dots}</svg>')
    names = ["batch/book.ipynb", "batch/dots.svg"]
    files = caller.post("/egress/preflight", json={"files": names}).json()["files"]
    offered = {one["rule"]: one["repairs"] for each in files for one in each["findings"]}
    assert (offered["notebook.outputs"], offered["figure.points"]) == (["strip-outputs"], ["rasterise"])
    for name, how, ending in zip(names, ("strip-outputs", "rasterise"), (".ipynb", ".png"), strict=True):
        made = caller.post("/egress/repair", json={"file": name, "repair": how}).json()
        assert (made["name"].endswith(f".repaired{ending}"), made["verdict"] != "BLOCK") == (True, True)
    body = {"files": names[:1], "purpose": "표 2", "context": "평균", "key": "one-click-2"}
    (asked,) = caller.post("/egress/submit", json=body).json()["files"]
    assert ["strip-outputs"] in [one["repairs"] for one in asked["findings"]]


@needs_root
def test_the_snapshots_own_pseudonyms_and_the_projects_people_are_recognised(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    mina = people_queries.account(world.store, world.actor("mina"), "mina", now=clock.now()).name
    names = outbox(gate, place, case=f"case,n\n{7:032x},120\n{mina},44\n".encode(), plain=TABLE.encode())
    files = inside(world, place).post("/egress/preflight", json={"files": names}).json()["files"]
    found, plain = ({one["rule"] for one in each["findings"]} for each in files)
    assert {"id.known-pseudonym", "id.known-person"} <= found
    assert not {rule for rule in plain if rule.startswith("id.known")}


@needs_root
def test_a_file_that_cannot_be_compared_with_the_snapshots_pseudonyms_says_so(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    folder = dataset.snapshot(world.store, world.actor("mina"), world.snapshot_id).path
    aside = folder.with_name("aside")
    _marks.cache_clear()  # else what another test has read is remembered
    folder.rename(aside)
    try:
        names = outbox(gate, place, plain=TABLE.encode())
        (told,) = inside(world, place).post("/egress/preflight", json={"files": names}).json()["files"]
    finally:
        aside.rename(folder)
    assert "id.known-missing" in {one["rule"] for one in told["findings"]}


@needs_root
def test_one_file_that_cannot_be_taken_means_nothing_is_requested(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    names = outbox(gate, place, good=TABLE.encode())
    (gate.volumes.outbox(place.id) / "batch/link.csv").symlink_to("/etc/passwd")
    (gate.volumes.outbox(place.id) / "batch/folder.csv").mkdir()
    (gate.volumes.outbox(place.id) / "batch/줄\n바꿈.csv").write_bytes(TABLE.encode())
    caller = inside(world, place)
    for bad in ("batch/link.csv", "batch/folder.csv", "batch/줄\n바꿈.csv", "../../../etc/passwd"):
        body = {"files": [*names, bad], "purpose": "표", "context": "설명", "key": f"key-{bad!a}"[:60]}
        answer = caller.post("/egress/submit", json=body)
        assert answer.status_code == 422, bad
        assert answer.json()["remedy_ko"], bad
    assert egress.mine(world.store, world.actor("mina"), now=clock.now()) == ()


@needs_root
def test_the_hub_being_away_is_said_and_lets_nobody_through(world: World, place: workspace.WorkspaceView) -> None:
    caller = inside(world, place)
    world.peer.away = True
    try:
        assert caller.post("/egress/preflight", json={"files": ["a"]}).status_code == 503
    finally:
        world.peer.away = False


@needs_root
@pytest.mark.docker
def test_ending_a_project_stops_its_workspaces_at_the_gate(
    world: World, core: Core, place: workspace.WorkspaceView
) -> None:
    in_force = world.settings.volumes / place.id / "current"
    assert in_force.exists()
    answer = world.browser("jiwoo").form(f"/projects/{world.project_id}/end", reason="연구 종료")
    assert answer.status_code == 303
    (found,) = workspace.mine(world.store, world.actor("mina"))
    assert found.state.value == "frozen"
    assert not in_force.exists(), "nothing can be started from its plan any more"


@needs_root
@pytest.mark.docker
def test_ending_an_account_stops_its_workspaces_at_the_gate(
    world: World, core: Core, place: workspace.WorkspaceView
) -> None:
    in_force = world.settings.volumes / place.id / "current"
    assert in_force.exists()
    answer = world.browser("operator").form("/accounts/mina/end", end_reason="퇴사")
    assert answer.status_code == 303
    (found,) = [each for each in workspace.frozen(world.store, Actor.system()) if each.id == place.id]
    assert found.reason == "account.ended"
    assert not in_force.exists(), "nothing can be started from its plan any more"


@needs_root
@pytest.mark.docker
def test_a_portal_that_starts_stops_what_was_frozen_while_the_gate_was_away(
    world: World, core: Core, place: workspace.WorkspaceView
) -> None:
    in_force = world.settings.volumes / place.id / "current"
    people.end_account(world.store, Actor.console(), login="mina", reason="퇴사", now=clock.now())
    assert in_force.exists(), "the command alone does not reach the gate"
    reap(world.portal)
    assert not in_force.exists()
