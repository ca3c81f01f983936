"""The drill is honest: the same attacks in containers without the barriers say `broken`, each that can say it here.

Not one weak container but several: what one must not do to the host that runs the tests (an address on its network)
is tried where the name space is the container's own.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from enclave import host
from enclave.drill.bridged import PLACE
from enclave.workspace.barriers.catalogue import BARRIERS
from enclave.workspace.barriers.program import program
from tests.enclave.gate.tiny_image import tiny_image

pytestmark = [pytest.mark.redteam, pytest.mark.docker]
MIB = 1 << 20
PORT = 9871
# What cannot be shown broken without a way into the world, or without what this host's kernel was built with.
NEEDS_THE_WORLD = {
    "net.tcp", "net.udp", "net.icmp", "net.dns-name", "net.dns-embedded", "net.dns-servers", "net.metadata", "net.ipv6",
}  # fmt: skip


CAPABILITIES = {
    "SYS_ADMIN": 21, "NET_ADMIN": 12, "NET_RAW": 13, "SYS_PTRACE": 19, "SYS_TIME": 25, "SYS_CHROOT": 18, "MKNOD": 27,
    "SYSLOG": 34, "DAC_READ_SEARCH": 2, "SYS_RAWIO": 17, "SYS_RESOURCE": 24,
}  # fmt: skip
SETUID = "import os, shutil; shutil.copy('/usr/bin/python3.11', '/usr/bin/weak'); os.chmod('/usr/bin/weak', 0o4755)"
OPEN = ["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]


def rights() -> list[str]:
    """Everything that this machine itself has to give; some machines that run tests lack a few."""
    lines = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    bounding = int(lines["CapBnd"], 16)
    return [*OPEN, *(f"--cap-add={name}" for name, number in CAPABILITIES.items() if bounding >> number & 1)]


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    """A bridge as the engine makes it by itself, with a way out."""
    name = f"ansim-weak-{os.getpid()}"
    if not Path("/sys/class/net/docker0").exists():
        pytest.fail(
            "The engine's default bridge (docker0) is absent: weak containers need a network with a way out. "
            "Start the engine without --bridge=none, or restart it if somebody removed docker0."
        )
    made = subprocess.run(["docker", "network", "create", name], check=False, capture_output=True, text=True)
    if made.returncode:
        pytest.fail(f"The engine makes no bridge, which weak containers need: {made.stderr.strip()}")
    yield name
    subprocess.run(["docker", "network", "rm", name], check=False, capture_output=True)


@contextmanager
def container(data: Path, *options: str) -> Iterator[str]:
    made = subprocess.run(
        ["docker", "run", "-d", "-v", f"{data}:/data", "-v", "/var/run/docker.sock:/var/run/docker.sock",
         "--entrypoint", "/usr/bin/python3.11", *options, tiny_image(), "-c", "import time; time.sleep(600)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    name = made.stdout.strip()
    try:
        yield name
    finally:
        subprocess.run(["docker", "rm", "-f", name], capture_output=True, check=False)


def tried(name: str, area: str, facts: dict[str, Any], only: list[str] | None = None) -> dict[str, tuple[str, str]]:
    """Run an area's program as the container's user; id → (outcome, evidence)."""
    done = subprocess.run(
        ["docker", "exec", "-i", name, "/usr/bin/python3.11", "-"],
        input=program(area, facts, only), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"id"')]
    assert lines, done.stderr
    return {line["id"]: (line["outcome"], line["evidence"]) for line in lines}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    table = tmp_path / "data/drill/canaries.parquet"
    table.parent.mkdir(parents=True)
    table.write_bytes(b"seen-1 unseen-1")
    (tmp_path / "data/other").mkdir()
    return tmp_path / "data"


@pytest.fixture
def facts() -> Iterator[dict[str, Any]]:
    """What a drill would tell, with a neighbour that the test plays: it listens where only it should be heard."""
    with socket.socket() as port, socket.socket(socket.AF_UNIX) as abstract:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind(("0.0.0.0", 0))
        abstract.bind(f"\0drill-test-{os.getpid()}")
        for each in (port, abstract):
            each.listen(64)
        number = port.getsockname()[1]
        sizes = {"home_bytes": 16 * MIB, "outbox_bytes": 4 * MIB, "shm_bytes": 16 * MIB, "memory_bytes": 128 * MIB}
        yield {
            "login": "drill", "dataset": "drill", "canary": "seen-1", "secrets": ["unseen-1"],
            "host_addresses": [a for a in host.addresses() if ":" not in a][:1],
            "own_ports": [], "host_ports": [number],
            "door_ports": [18081], "relay_ports": [number], "database": "/etc/passwd", "host_paths": ["/etc/passwd"],
            "names_of_others": ["docker"], "sockets": [], "own_shm": [],
            "neighbour": {
                "login": "neighbour", "workspace": "w", "uid": 0, "port": number,
                "abstract": f"drill-test-{os.getpid()}", "file": "passwd", "text": "root:x:0",
            },
            "limits": {
                "pids": 64, "cpus": 1, **sizes,
                "tmpfs": {"/tmp": 16 * MIB, "/run": 4 * MIB, "/home/analyst": 4 * MIB},
            },
        }  # fmt: skip


def test_every_attack_from_inside_says_broken_where_its_barrier_is_not(
    data: Path, facts: dict[str, Any], network: str
) -> None:
    found: dict[str, set[str]] = {}
    shared = [
        "net.host-addresses",
        "net.host-loopback",
        "net.other-workspaces",
        "net.neighbour-abstract",
        "net.database",
    ]
    for options, areas in (
        (["--network", network, *rights()], ["kernel"]),
        (["--network", network, *rights(), "--security-opt", "systempaths=unconfined"], ["files"]),
        (["--network", network, *rights()], ["network"]),
        (["--network", "host"], ["shared"]),
        (["--network", network], ["resources"]),
        (["--network", network, "--user", "4711:4711"], ["counters"]),
    ):
        with container(data, *options) as name:
            subprocess.run(["docker", "exec", name, "/usr/bin/python3.11", "-c", SETUID], check=False)
            for area in areas:
                told = {**facts, "neighbour": {**facts["neighbour"], "uid": 4711 if area == "counters" else 0}}
                only = shared if area == "shared" else None
                for each, (outcome, _) in tried(name, "network" if only else area, told, only).items():
                    found.setdefault(each, set()).add(outcome)
    never = {each for each, outcomes in found.items() if "broken" not in outcomes}
    wanted = {b.id for b in BARRIERS if b.program and b.program != "doors"}
    assert found.keys() == wanted
    assert never <= NEEDS_THE_WORLD, never


def test_a_probe_that_stumbles_has_held_nothing(data: Path) -> None:
    with container(data, "--network", "none") as name:
        told = tried(name, "network", {}, ["net.other-workspaces"])
    assert told["net.other-workspaces"][0] == "broken"
    assert "KeyError" in told["net.other-workspaces"][1]


def test_limits_of_a_user_are_held_only_by_a_user_id_of_ones_own(data: Path, facts: dict[str, Any]) -> None:
    with container(data, "--network", "none", "--user", "4712:4712") as name:
        told = tried(name, "counters", {**facts, "neighbour": {**facts["neighbour"], "uid": 4713}})
    assert {outcome for outcome, _ in told.values()} == {"held"}


SERVE = """
import socket, sys, time
links = [socket.create_server(("0.0.0.0", int(port))) for port in sys.argv[1:]]
time.sleep(600)
"""


def test_the_attacks_on_a_bridge_say_broken_where_its_rules_are_not(
    data: Path, facts: dict[str, Any], network: str
) -> None:
    """The engine's own bridge: the host answers on every port, neighbours hear each other, there is a way out."""
    port = facts["neighbour"]["port"]
    options = ["--network", network, *rights(), f"--add-host=gate:{gateway_of(network)}"]
    with container(data, *options) as name, container(data, *options) as beside, socket.create_server(("", 0)) as door:
        for each in (name, beside):
            command = ["/usr/bin/python3.11", "-c", SERVE, str(port), "8888"]
            subprocess.run(["docker", "exec", "-d", each, *command], check=True)
        (own, gateway), (neighbour, _) = (json.loads(said(each, PLACE)) for each in (name, beside))
        bridge = {"own": own, "gateway": gateway, "neighbour": neighbour, "others": []}
        told = {**facts, "bridge": bridge, "gate": "gate", "door_ports": [door.getsockname()[1]]}
        replaced = ["host-addresses", "other-workspaces", "database", "interfaces", "gate-ports", "configure"]
        # The last takes the neighbour's address.
        parts = [f"net.{each}" for each in replaced]
        found = tried(name, "network", told, parts[:-1]) | tried(name, "network", told, parts[-1:])
    assert f"{gateway}:{port}: REACHED" in found["net.host-addresses"][1]
    assert f"{neighbour}:8888: REACHED" in found["net.other-workspaces"][1]
    assert "/etc/passwd: SUCCEEDED" in found["net.database"][1]
    assert "00000000" in found["net.interfaces"][1]  # the default route
    assert "/etc/hosts: SUCCEEDED" in found["net.gate-ports"][1]
    assert {each: outcome for each, (outcome, _) in found.items()} == dict.fromkeys(parts, "broken")


def said(name: str, code: str) -> str:
    command = ["docker", "exec", name, "/usr/bin/python3.11", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def gateway_of(network: str) -> str:
    form = "{{(index .IPAM.Config 0).Gateway}}"
    command = ["docker", "network", "inspect", "--format", form, network]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
