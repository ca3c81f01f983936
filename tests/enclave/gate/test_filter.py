"""The engine filter: the hub can do what the plan says and nothing more, whatever it writes."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import docker
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclave.errors import Denied
from enclave.gate.filter import approved_body, matched
from enclave.gate.wire import Request
from enclave.workspace.engine import create_body
from enclave.workspace.plan import Mount, MountKind, WorkspacePlan, sign_plan
from tests.enclave.gate.tiny_image import tiny_image
from tests.enclave.gate.world import Workspace, World

PLAN = WorkspacePlan(
    workspace_id="w1",
    project_id="p1",
    account_id="a1",
    login="kim",
    image_id="sha256:" + "1" * 64,
    mounts=(
        Mount(MountKind.VIEW, "/var/lib/ansim/views/" + "ab" * 32, "/data/nafld", "ab" * 32),
        Mount(MountKind.HOME, "/var/lib/ansim/volumes/w1/home", "/home/analyst/work"),
        Mount(MountKind.OUTBOX, "/var/lib/ansim/volumes/w1/outbox", "/outbox"),
    ),
    expires_at=datetime(2030, 1, 1, tzinfo=UTC),
)
TOKENS = {"JUPYTERHUB_API_TOKEN": "t0ken", "JUPYTERHUB_USER": "kim"}


def approve(body: Any, name: str = PLAN.container_name) -> Any:
    return json.loads(approved_body(json.dumps(body).encode(), name, lambda _sha, _id: PLAN))


def test_the_plans_own_body_passes_with_the_hubs_tokens() -> None:
    assert approve(create_body(PLAN, TOKENS)) == create_body(PLAN, TOKENS)


# What a hub that was taken over would want; each is put into an otherwise perfect request.
EVIL: list[tuple[str, Any]] = [
    ("HostConfig.Privileged", True),
    ("HostConfig.CapAdd", ["SYS_ADMIN"]),
    ("HostConfig.CapDrop", []),
    ("HostConfig.NetworkMode", "host"),
    ("HostConfig.NetworkMode", "bridge"),
    ("HostConfig.PidMode", "host"),
    ("HostConfig.IpcMode", "host"),
    ("HostConfig.UTSMode", "host"),
    ("HostConfig.UsernsMode", "host"),
    ("HostConfig.CgroupnsMode", "host"),
    ("HostConfig.Binds", ["/:/host"]),
    ("HostConfig.VolumesFrom", ["ansim-w2"]),
    ("HostConfig.Devices", [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda", "CgroupPermissions": "rwm"}]),
    ("HostConfig.DeviceCgroupRules", ["a *:* rwm"]),
    ("HostConfig.DeviceRequests", [{"Count": -1, "Capabilities": [["gpu"]]}]),
    ("HostConfig.SecurityOpt", ["seccomp=unconfined"]),
    ("HostConfig.SecurityOpt", []),
    ("HostConfig.ReadonlyRootfs", False),
    ("HostConfig.MaskedPaths", []),
    ("HostConfig.ReadonlyPaths", []),
    ("HostConfig.Sysctls", {"kernel.core_pattern": "|/x"}),
    ("HostConfig.Runtime", "nvidia"),
    ("HostConfig.CgroupParent", "/"),
    ("HostConfig.Memory", 0),
    ("HostConfig.Memory", True),
    ("HostConfig.MemorySwap", -1),
    ("HostConfig.PidsLimit", -1),
    ("HostConfig.PidsLimit", None),
    ("HostConfig.OomScoreAdj", -1000),
    ("HostConfig.Ulimits", []),
    ("HostConfig.Mounts", []),
    ("HostConfig.Tmpfs", {"/tmp": "exec"}),
    ("HostConfig.LogConfig", {"Type": "syslog", "Config": {"syslog-address": "udp://1.2.3.4:514"}}),
    ("HostConfig.PortBindings", {"8888/tcp": [{"HostPort": "8888"}]}),
    ("HostConfig.PublishAllPorts", True),
    ("HostConfig.ExtraHosts", ["a:1.2.3.4"]),
    ("HostConfig.GroupAdd", ["docker"]),
    ("HostConfig.Init", False),
    ("HostConfig.Init", 1),
    ("User", "0"),
    ("User", ""),
    ("Image", "sha256:" + "2" * 64),
    ("Cmd", ["sh", "-c", "evil"]),
    ("Entrypoint", ["/bin/sh"]),
    ("NetworkDisabled", False),
    ("NetworkingConfig", {"EndpointsConfig": {"bridge": {}}}),
    ("Volumes", {"/x": {}}),
    ("Healthcheck", {"Test": ["CMD", "evil"]}),
    ("OnBuild", ["x"]),
    ("Labels", {"ansim.workspace": "w1", "ansim.plan": "f" * 64, "com.docker.x": "y"}),
    ("hostConfig", {"Privileged": True}),
    ("HostConfig.privileged", True),
]


@pytest.mark.parametrize(("place", "value"), EVIL, ids=[f"{place}={str(value)[:30]}" for place, value in EVIL])
def test_each_thing_a_taken_over_hub_would_want_is_refused(place: str, value: Any) -> None:
    body = create_body(PLAN, TOKENS)
    *way, last = place.split(".")
    target = body
    for step in way:
        target = target[step]
    target[last] = copy.deepcopy(value)
    # Go reads keys without regard to case, so a second spelling of a key is refused as a second key.
    with pytest.raises(Denied, match="create-differs" if last[0].isupper() else "stands twice"):
        approve(body)


@pytest.mark.parametrize(
    "variable",
    [
        "LD_PRELOAD=/outbox/evil.so",
        "PYTHONSTARTUP=/outbox/evil.py",
        "JUPYTERHUB_USER=lee",
        "JUPYTERHUB_API_URL=http://1.2.3.4/hub/api",
        "JUPYTERHUB_SERVICE_URL=http://0.0.0.0:8888/user/kim/",
        "JUPYTERHUB_SINGLEUSER_APP=evil.module",
        "JUPYTERHUB_ADMIN_ACCESS=1",
        "JUPYTERHUB_API_TOKEN=a\nLD_PRELOAD=b",
        "HOME=/outbox",
    ],
)
def test_a_variable_that_is_not_the_hubs_business_is_refused(variable: str) -> None:
    body = create_body(PLAN)
    body["Env"] = sorted([*body["Env"], variable])
    with pytest.raises(Denied):
        approve(body)


def test_dropping_the_lock_on_users_own_configuration_is_refused() -> None:
    body = create_body(PLAN)
    body["Env"] = [line for line in body["Env"] if not line.startswith("JUPYTERHUB_DISABLE_USER_CONFIG")]
    with pytest.raises(Denied):
        approve(body)


def test_another_name_for_the_container_is_refused() -> None:
    with pytest.raises(Denied, match="name"):
        approve(create_body(PLAN), name="ansim-w2")


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"Labels": 1}', b'{"Labels":{},"labels":{}}', b"\xff"]
)
def test_what_is_no_create_body_is_refused(text: bytes) -> None:
    with pytest.raises(Denied):
        approved_body(text, PLAN.container_name, lambda _sha, _id: PLAN)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(sorted({place.rsplit(".", 1)[-1] for place, _ in EVIL} | set(create_body(PLAN)["HostConfig"])))


def nodes(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All ways from the root of a JSON value to its parts."""
    found = [way]
    if isinstance(value, dict):
        found += [w for key, inner in value.items() for w in nodes(inner, (*way, key))]
    if isinstance(value, list):
        found += [w for key, inner in enumerate(value) for w in nodes(inner, (*way, key))]
    return found


def mutated(draw: Any, body: Any) -> Any:
    """Change, add or delete one part of a create body, anywhere in it."""
    way = draw(st.sampled_from(nodes(body)))
    value = copy.deepcopy(draw(JSON | st.sampled_from([v for _, v in EVIL])))
    if not way:
        return {**body, draw(KEYS): value}
    target = body
    for step in way[:-1]:
        target = target[step]
    kind = draw(st.sampled_from(["set", "delete", "add"]))
    inner = target[way[-1]]
    if kind == "delete":
        del target[way[-1]]
    elif kind == "add" and isinstance(inner, dict):
        inner[draw(KEYS)] = value
    elif kind == "add" and isinstance(inner, list):
        inner.insert(draw(st.integers(0, len(inner))), value)
    else:
        target[way[-1]] = value
    return body


@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.data())
def test_no_mutated_create_body_reaches_the_engine_as_anything_but_the_plan(data: st.DataObject) -> None:
    body = copy.deepcopy(create_body(PLAN, TOKENS))
    for _ in range(data.draw(st.integers(1, 3))):
        body = mutated(data.draw, body)
    try:
        sent = approve(body)
    except Denied:
        return
    # Whatever passed: what the engine gets is the plan's own body, with variables of the hub's list only.
    expected = create_body(PLAN, TOKENS)
    assert {key: value for key, value in sent.items() if key != "Env"} == {
        key: value for key, value in expected.items() if key != "Env"
    }
    names = {line.partition("=")[0] for line in sent["Env"]}
    assert names <= {line.partition("=")[0] for line in expected["Env"]}


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v1.41/containers/abc/exec"),
        ("POST", "/exec/abc/start"),
        ("POST", "/v1.41/containers/abc/attach"),
        ("POST", "/v1.41/containers/abc/update"),
        ("POST", "/v1.41/containers/abc/rename?name=x"),
        ("POST", "/v1.41/containers/abc/kill"),
        ("GET", "/v1.41/containers/abc/archive?path=/"),
        ("PUT", "/v1.41/containers/abc/archive?path=/"),
        ("GET", "/v1.41/containers/abc/export"),
        ("POST", "/v1.41/commit?container=abc"),
        ("GET", "/v1.41/containers/json"),
        ("POST", "/v1.41/volumes/create"),
        ("POST", "/v1.41/networks/create"),
        ("POST", "/v1.41/networks/none/connect"),
        ("POST", "/v1.41/build"),
        ("POST", "/v1.41/images/create?fromImage=evil"),
        ("POST", "/v1.41/images/load"),
        ("POST", "/v1.41/plugins/pull"),
        ("POST", "/v1.41/swarm/init"),
        ("GET", "/v1.41/info"),
        ("GET", "/v1.41/events"),
        ("GET", "/v1.41/images/json"),
        ("GET", "/v1.41/images/evil:latest/json"),
        ("GET", "/v1.41/images/sha256:" + "1" * 64 + "/json"),
        ("GET", "/v1.41/containers/../images/json"),
        ("GET", "/v1.41/containers/abc%2f..%2fx/json"),
        ("GET", "/v1.41/containers/abc/json/"),
        ("GET", "http://engine/v1.41/containers/abc/json"),
        ("HEAD", "/_ping"),
        ("POST", "/v1.41/session"),
    ],
)
def test_a_call_that_is_not_on_the_list_is_refused(method: str, target: str) -> None:
    with pytest.raises(Denied, match="call"):
        matched(Request(method, target, [], b""))


@pytest.mark.docker
class TestOnTheEngine:
    def test_the_engine_holds_exactly_the_barriers_of_the_plan(self, workspace: Workspace) -> None:
        state = docker.APIClient(version="1.41").inspect_container(workspace.container)
        host = state["HostConfig"]
        assert host["NetworkMode"] == "none"
        assert host["CapDrop"] == ["ALL"]
        assert host["CapAdd"] is None
        assert host["ReadonlyRootfs"] is True
        assert host["Privileged"] is False
        assert host["Memory"] == host["MemorySwap"] == workspace.plan.memory_bytes
        assert host["PidsLimit"] == workspace.plan.pids
        assert state["Config"]["User"] == f"{workspace.plan.uid}:{workspace.plan.uid}"
        writable = {mount["Destination"] for mount in state["Mounts"] if mount["RW"]}
        assert writable == {"/home/analyst/work", "/outbox"}

    def test_others_containers_are_as_if_they_were_not_there(self, world: World, tiny_container: str) -> None:
        client = world.engine()
        for act in (client.inspect_container, client.start, client.stop, client.remove_container, client.logs):
            with pytest.raises(docker.errors.NotFound):
                act(tiny_container)
        client.close()

    def test_a_plan_that_was_not_registered_starts_nothing(self, world: World) -> None:
        with pytest.raises(docker.errors.APIError, match="plan-unknown"):
            world.create(world.plan())

    def test_an_older_plan_of_the_same_workspace_starts_nothing(self, world: World) -> None:
        old = world.plan()
        world.register(old)
        new = world.plan(workspace_id=old.workspace_id, memory_bytes=128 << 20)
        world.register(new)
        with pytest.raises(docker.errors.APIError, match="plan-unknown"):
            world.create(old)
        world.gate.revoke(old.workspace_id)

    def test_an_expired_plan_is_not_registered(self, world: World) -> None:
        ended = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
        with pytest.raises(Denied, match="plan-expired"):
            world.register(world.plan(expires_at=ended))

    def test_a_plan_with_one_bit_changed_is_not_registered(self, world: World) -> None:
        plan = world.plan()
        other = plan.canonical().replace(b'"pids":64', b'"pids":65')
        with pytest.raises(Denied, match="plan-damaged"):
            world.gate.register_plan(other, sign_plan(plan, world.key), keys={})

    def test_a_signed_plan_for_another_folder_is_not_registered(self, world: World) -> None:
        plan = world.plan()
        evil = Mount(MountKind.VIEW, "/etc", "/data/etc", "ab" * 32)
        with pytest.raises(Denied, match="/etc → /data/etc"):
            world.register(world.plan(workspace_id=plan.workspace_id, mounts=(*plan.mounts, evil)))

    def test_a_view_that_is_a_link_to_another_folder_is_not_registered(self, world: World) -> None:
        name = "cd" * 32
        (world.settings.views / name).symlink_to("/etc")
        plan = world.plan()
        evil = Mount(MountKind.VIEW, str(world.settings.mounted / plan.workspace_id / name), "/data/etc", name)
        with pytest.raises(Denied) as refused:
            world.register(world.plan(workspace_id=plan.workspace_id, mounts=(*plan.mounts, evil)))
        assert refused.value.code == "gate.mount-missing"
        (world.settings.views / name).unlink()

    def test_only_the_hubs_user_reaches_the_engine(self, world: World) -> None:
        code = (
            "import socket; s = socket.socket(socket.AF_UNIX); "
            f"s.connect({str(world.settings.engine_socket)!r});"
            "s.sendall(b'GET /_ping HTTP/1.1\\r\\nHost: e\\r\\n\\r\\n'); print(s.recv(100))"
        )
        world.settings.engine_socket.chmod(0o666)  # leaves the kernel's word for it alone
        command = [sys.executable, "-c", code]
        asked = subprocess.run(command, user="daemon", capture_output=True, text=True, check=False)
        # Cut without a word: an empty answer, or a reset.
        assert asked.stdout == "b''\n" or "ConnectionResetError" in asked.stderr or "BrokenPipe" in asked.stderr
        world.settings.engine_socket.chmod(0o600)

    @pytest.mark.parametrize(
        ("user", "method", "path", "status"),
        [
            ("nobody", "GET", "/status", 200),
            ("daemon", "GET", "/status", 403),
            ("daemon", "POST", "/workspaces/w1/revoke", 403),
            ("daemon", "POST", "/plans", 403),
            ("nobody", "GET", "/plans", 404),
            ("nobody", "POST", "/plans", 422),
            ("nobody", "POST", "/workspaces/..%2f/revoke", 404),
        ],
    )
    def test_the_gates_commands_are_for_those_they_are_for(
        self, world: World, user: str, method: str, path: str, status: int
    ) -> None:
        code = (
            "import socket; s = socket.socket(socket.AF_UNIX); "
            f"s.connect({str(world.settings.gate_socket)!r});"
            f"s.sendall(b'{method} {path} HTTP/1.1\\r\\nHost: g\\r\\nContent-Length: 2\\r\\n\\r\\n{{}}');"
            "print(s.recv(100).split()[1].decode())"
        )
        asked = subprocess.run([sys.executable, "-c", code], user=user, capture_output=True, text=True, check=True)
        assert asked.stdout.strip() == str(status)

    def test_a_user_of_another_group_cannot_even_knock(self, world: World) -> None:
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({str(world.settings.gate_socket)!r})"
        command = [sys.executable, "-c", code]
        asked = subprocess.run(
            command, user="daemon", group="daemon", extra_groups=[], capture_output=True, text=True, check=False
        )
        assert "PermissionError" in asked.stderr

    def test_a_filter_without_an_engine_says_so_and_works_again_with_it(self, world: World) -> None:
        world.stop_gate()
        world.start_gate("--docker-socket", str(world.home / "no-engine.sock"))
        transport = httpx.HTTPTransport(uds=str(world.settings.engine_socket))
        with httpx.Client(transport=transport, base_url="http://engine") as client:
            answer = client.get("/_ping")
        assert (answer.status_code, answer.json()["message"].split(":")[0]) == (503, "gate.engine-gone")
        assert world.gate.status()["engine"] is False
        world.stop_gate()
        world.start_gate()
        assert world.gate.status()["engine"] is True


@pytest.fixture
def tiny_container() -> Any:
    made = subprocess.run(["docker", "create", tiny_image(), "true"], capture_output=True, text=True, check=True)
    yield made.stdout.strip()
    subprocess.run(["docker", "rm", "-f", made.stdout.strip()], capture_output=True, check=True)
