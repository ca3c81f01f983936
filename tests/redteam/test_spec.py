"""What the engine really made of a plan (korea.md R33), and what a hub that was taken over can make it do instead.

The first half reads the engine's own description of a running workspace and knows every line of it: a field that is
not on the list, of a newer engine perhaps, fails until somebody has looked at it.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import docker
import pytest

from enclave.workspace.engine import create_body, seccomp_profile, tmpfs
from tests.enclave.gate.hostile import EVIL
from tests.enclave.gate.world import Workspace, World

pytestmark = [pytest.mark.redteam, pytest.mark.docker]

# What engine 20.10 answers for a container that asked for none of these.
NOTHING = {
    "Binds": None, "ContainerIDFile": "", "PortBindings": [None, {}], "AutoRemove": False, "VolumeDriver": "",
    "VolumesFrom": None, "CapAdd": None, "CgroupnsMode": ["host", "private"], "DnsSearch": [None, []],
    "GroupAdd": None, "Cgroup": "", "Links": None, "OomScoreAdj": 0, "PidMode": "", "Privileged": False,
    "PublishAllPorts": False, "UTSMode": "", "UsernsMode": "", "Runtime": "runc", "ConsoleSize": [[0, 0]],
    "Isolation": "", "CpuShares": 0, "NanoCpus": 0, "CgroupParent": "", "BlkioWeight": 0,
    "BlkioWeightDevice": [None, []], "BlkioDeviceReadBps": None, "BlkioDeviceWriteBps": None,
    "BlkioDeviceReadIOps": None, "BlkioDeviceWriteIOps": None, "CpuRealtimePeriod": 0, "CpuRealtimeRuntime": 0,
    "CpusetCpus": "", "CpusetMems": "", "Devices": [None, []], "DeviceCgroupRules": None, "DeviceRequests": [None, []],
    "KernelMemory": 0, "KernelMemoryTCP": 0, "MemoryReservation": 0, "MemorySwappiness": None, "OomKillDisable": False,
    "CpuCount": 0, "CpuPercent": 0, "IOMaximumIOps": 0, "IOMaximumBandwidth": 0, "Sysctls": None, "StorageOpt": None,
}  # fmt: skip
MASKED = {"/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware"}
READONLY = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}


def described(container: str) -> dict[str, Any]:
    client = docker.APIClient(version="1.41")
    with closing(client):
        found: dict[str, Any] = client.inspect_container(container)
    return found


def ours(inside: Workspace) -> dict[str, Any]:
    """The fields that the plan decides, as the engine says them."""
    host = dict(create_body(inside.plan)["HostConfig"])
    # The engine leaves out what is false.
    host["Mounts"] = [{k: v for k, v in mount.items() if v is not False} for mount in host["Mounts"]]
    address = described(inside.container)["NetworkSettings"]["Networks"]
    resolver: dict[str, Any] = {"Dns": [], "DnsOptions": [], "ExtraHosts": None}
    if inside.plan.network:
        (gateway,) = (each["Gateway"] for each in address.values())
        resolver = {"ExtraHosts": [f"gate:{gateway}"]}
    return {**host, **resolver, "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}}


def test_the_engine_holds_the_plan_and_no_line_more(inside: Workspace) -> None:
    host, expected = described(inside.container)["HostConfig"], ours(inside)
    said = {field: value for field, value in host.items() if field not in {"MaskedPaths", "ReadonlyPaths"}}
    unknown = set(said) - set(NOTHING) - set(expected)
    assert unknown == set()
    for field, value in said.items():
        allowed = expected[field] if field in expected else NOTHING[field]
        # A list of lists stands for alternatives; an empty list and none are the same to the engine.
        assert (
            value == allowed
            or (field in NOTHING and isinstance(NOTHING[field], list) and value in NOTHING[field])
            or (not value and not allowed)
        ), field
    assert set(host["MaskedPaths"]) >= MASKED
    assert set(host["ReadonlyPaths"]) >= READONLY


def test_the_rules_of_the_requirement_hold_one_by_one(inside: Workspace) -> None:
    state = described(inside.container)
    host, config = state["HostConfig"], state["Config"]
    assert host["Privileged"] is False
    assert state["Image"] == inside.plan.image_id  # pinned by its hash, not by a name
    assert (config["User"], config["Volumes"]) == (f"{inside.plan.uid}:{inside.plan.uid}", None)
    assert host["SecurityOpt"] == ["no-new-privileges:true", "seccomp=" + seccomp_profile()]
    assert {mount["Type"] for mount in state["Mounts"]} == {"bind"}
    home = f"{inside.world.home}/"
    assert all(mount["Source"].startswith(home) for mount in state["Mounts"])
    assert {mount["Destination"] for mount in state["Mounts"] if mount["RW"]} == {"/home/analyst/work", "/outbox"}
    assert host["Tmpfs"] == tmpfs(inside.plan.uid)
    assert set(state["NetworkSettings"]["Networks"]) <= {inside.plan.network or "none"}
    assert state["NetworkSettings"]["Ports"] == {}


@pytest.fixture(scope="module")
def planned(world: World) -> Iterator[Any]:
    """A plan in force of which nothing has been made yet."""
    plan = world.plan(login="seo")
    world.register(plan)
    yield plan
    world.gate.revoke(plan.workspace_id)


def containers() -> set[str]:
    listed = subprocess.run(["docker", "ps", "-aq", "--no-trunc"], capture_output=True, check=True, text=True)
    return set(listed.stdout.split())


def ask(world: World, data: bytes) -> bytes:
    """Send bytes as the hub could, past every client library."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(20)
        link.connect(str(world.settings.engine_socket))
        link.sendall(data)
        said = b""
        while part := link.recv(65536):
            said += part
    return said


def create(plan: Any, body: bytes, *headers: str, path: str = "/v1.41/containers/create") -> bytes:
    length = (
        []
        if any(h.lower().startswith(("content-length", "transfer-encoding")) for h in headers)
        else [f"Content-Length: {len(body)}"]
    )
    lines = [
        f"POST {path}?name={plan.container_name} HTTP/1.1",
        "Host: e",
        "Content-Type: application/json",
        *length,
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@pytest.mark.parametrize(("place", "field", "value"), EVIL[::6], ids=[f for _, f, _ in EVIL[::6]])
def test_through_the_real_socket_a_hostile_field_makes_nothing(
    world: World, planned: Any, place: str, field: str, value: Any
) -> None:
    body = create_body(planned)
    (body[place] if place else body)[field] = value
    before = containers()
    assert ask(world, create(planned, json.dumps(body).encode())).startswith(b"HTTP/1.1 403")
    assert f"/{planned.container_name}" not in names_of(containers() - before)


def names_of(ids: set[str]) -> set[str]:
    found = set()
    for each in ids:
        try:
            found.add(described(each)["Name"])
        except docker.errors.NotFound:
            continue  # somebody else's, gone by now
    return found


EVIL_BODY = b'{"Image":"x","HostConfig":{"Privileged":true}}'


def framed(plan: Any) -> dict[str, tuple[bytes, bytes]]:
    """Requests whose frame lies: what is sent, and how the answer begins."""
    good = json.dumps(create_body(plan)).encode()
    smuggled = create(plan, EVIL_BODY)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(EVIL_BODY), EVIL_BODY)
    return {
        "chunks": (create(plan, chunked, "Transfer-Encoding: chunked"), b"HTTP/1.1 411"),
        "chunks and a length": (
            create(plan, chunked, f"Content-Length: {len(chunked)}", "Transfer-Encoding: chunked"),
            b"HTTP/1.1 4"),
        "two lengths": (create(plan, good, f"Content-Length: {len(good)}", "Content-Length: 5"), b"HTTP/1.1 400"),
        "a body too large": (create(plan, b"", "Content-Length: 99999999"), b"HTTP/1.1 413"),
        "an upgrade": (
            b"POST /session HTTP/1.1\r\nHost: e\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", b"HTTP/1.1 403"),
        "a second request behind an allowed one": (
            b"GET /_ping HTTP/1.1\r\nHost: e\r\n\r\n" + smuggled, b"HTTP/1.1 200"),
        "a second request in the body": (
            b"GET /_ping HTTP/1.1\r\nHost: e\r\nContent-Length: %d\r\n\r\n" % len(smuggled) + smuggled,
            b"HTTP/1.1 200"),
        "another version": (create(plan, EVIL_BODY, path="/v1.24/containers/create"), b"HTTP/1.1 403"),
        "a method override": (
            b"GET /_ping HTTP/1.1\r\nHost: e\r\nX-HTTP-Method-Override: POST\r\nX-Original-URL: /build\r\n\r\n",
            b"HTTP/1.1 200"),
        "a name of another's": (
            create(plan, good).replace(plan.container_name.encode(), b"ansim-w-other", 1), b"HTTP/1.1 403"),
    }  # fmt: skip


FRAMES = [
    "chunks", "chunks and a length", "two lengths", "a body too large", "an upgrade",
    "a second request behind an allowed one", "a second request in the body", "another version", "a method override",
    "a name of another's",
]  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_that_lies_makes_nothing(world: World, planned: Any, name: str) -> None:
    data, begins = framed(planned)[name]
    before = containers()
    said = ask(world, data)
    assert said.startswith(begins)
    assert said.count(b"HTTP/1.1 ") == 1
    assert f"/{planned.container_name}" not in names_of(containers() - before)


def test_every_frame_is_tried(planned: Any) -> None:
    assert sorted(framed(planned)) == sorted(FRAMES)


CALLS_INSIDE = [
    ("POST", "/containers/{id}/exec", b'{"Cmd":["sh"],"Privileged":true,"User":"0"}'),
    ("GET", "/containers/{id}/archive?path=/data", b""),
    ("PUT", "/containers/{id}/archive?path=/outbox", b""),
    ("GET", "/containers/{id}/export", b""),
    ("POST", "/commit?container={id}", b"{}"),
    ("POST", "/containers/{id}/update", b'{"PidsLimit":-1,"Memory":0}'),
    ("POST", "/containers/{id}/rename?name=x", b""),
    ("POST", "/containers/{id}/attach?stream=1&stdin=1", b""),
    ("POST", "/networks/bridge/connect", b'{"Container":"{id}"}'),
    ("POST", "/containers/{id}/pause", b""),
    ("POST", "/containers/{id}/kill?signal=SIGUSR1", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS_INSIDE, ids=[path for _, path, _ in CALLS_INSIDE])
def test_nothing_can_be_done_to_a_running_workspace(inside: Workspace, method: str, path: str, body: bytes) -> None:
    before = described(inside.container)
    target = "/v1.41" + path.replace("{id}", inside.container)
    body = body.replace(b"{id}", inside.container.encode())
    kind = "Content-Type: application/json"
    head = f"{method} {target} HTTP/1.1\r\nHost: e\r\n{kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    assert ask(inside.world, head.encode() + body).startswith(b"HTTP/1.1 403")
    after = described(inside.container)
    for part in ("Name", "HostConfig", "State", "NetworkSettings", "ExecIDs"):
        assert after[part] == before[part]


def test_what_is_made_through_the_socket_is_exactly_the_plan(world: World, planned: Any) -> None:
    """The control: the same way, with an honest body, makes the container."""
    said = ask(world, create(planned, json.dumps(create_body(planned)).encode()))
    assert said.startswith(b"HTTP/1.1 201")
    made = described(planned.container_name)
    assert made["HostConfig"]["PidsLimit"] == planned.pids
    assert made["HostConfig"]["Privileged"] is False
