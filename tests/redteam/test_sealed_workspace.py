"""Attacks from inside a real workspace: each barrier is tried, not read from a configuration."""

from __future__ import annotations

import json
import socket
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from enclave import host
from enclave.drill.bridged import PLACE
from enclave.workspace.barriers.catalogue import BARRIERS
from enclave.workspace.barriers.program import program
from enclave.workspace.mounts import Roots, plan_mounts
from enclave.workspace.topology import Topology
from enclave.workspace.views import View
from tests.enclave.gate.world import Workspace, World

pytestmark = [pytest.mark.redteam, pytest.mark.docker]


# What the kernel says: no network at all, or a bridge whose host refuses or whose packets nobody forwards.
CUT_OFF = {
    Topology.SEALED: {"ENETUNREACH", "EADDRNOTAVAIL", "EINVAL"},
    Topology.BRIDGE: {"ENETUNREACH", "EADDRNOTAVAIL", "EINVAL", "ECONNREFUSED", "EHOSTUNREACH", "None"},
}


def host_address() -> str:
    """The address with which this host would leave; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


TRY = """
import errno
try:
    {attempt}
    print("SUCCEEDED")
except OSError as error:
    print(errno.errorcode.get(error.errno, error.errno))
"""


def attempt(inside: Workspace, code: str) -> str:
    return inside.python(TRY.format(attempt=code)).splitlines()[0]


@pytest.mark.parametrize("address", ["8.8.8.8", "169.254.169.254", "172.17.0.1", "HOST", "fe80::1"])
def test_no_address_can_be_reached(inside: Workspace, address: str) -> None:
    address = host_address() if address == "HOST" else address
    said = attempt(inside, f"import socket; socket.create_connection(({address!r}, 80), timeout=3)")
    assert said in CUT_OFF[Topology(inside.world.settings.topology)]


def test_services_of_the_hosts_loopback_cannot_be_reached(inside: Workspace) -> None:
    port = inside.world.hub.server_port
    assert attempt(inside, f"import socket; socket.create_connection(('127.0.0.1', {port}))") == "ECONNREFUSED"


def test_names_are_not_resolved(inside: Workspace) -> None:
    said = inside.python("import socket; socket.getaddrinfo('leak.example.com', 80)")
    assert "socket.gaierror" in said


def test_there_is_no_interface_but_the_plans_and_no_ipv6(inside: Workspace) -> None:
    links = "['lo', 'eth0']" if inside.plan.network else "['lo']"
    assert inside.python("import os; print(sorted(os.listdir('/sys/class/net'), reverse=True))").startswith(links)
    assert inside.python("print(open('/proc/net/if_inet6').read())").startswith(
        ("\n", "00000000000000000000000000000001")
    )


# The drill's own attacks, where they are the same: what it says of a live enclave it must say here.
DRILLED = {
    "network": ["net.raw", "net.vsock", "net.families", "net.netlink", "net.old-call-path", "net.gate-ports"],
    "kernel": [b.id for b in BARRIERS if b.program == "kernel" and b.id != "kernel.server-memory"],  # no server here
}


ON_BRIDGE = ["net.interfaces", "net.configure", "net.host-addresses", "net.dns-embedded", "net.dns-servers"]


def on_bridge(inside: Workspace) -> dict[str, Any]:
    """What a drill tells its attacks of a bridge; nobody is the neighbour here."""
    said = inside.python(PLACE)
    own, gateway = json.loads(said.partition("\n")[0])
    bridge = {"own": own, "gateway": gateway, "neighbour": gateway.rpartition(".")[0] + ".250", "others": []}
    return {"bridge": bridge, "host_addresses": host.addresses(), "host_ports": host.ports()}


@pytest.mark.parametrize("area", DRILLED)
def test_the_attacks_of_the_drill_hold_in_a_workspace_of_the_gates_own(inside: Workspace, area: str) -> None:
    facts: dict[str, Any] = {"door_ports": [8081, 8085], "gate": inside.plan.gate_host}
    wanted = list(DRILLED[area])
    if inside.plan.network:
        facts |= on_bridge(inside)
        wanted += ON_BRIDGE if area == "network" else []
    said = inside.python(program(area, facts, wanted))
    told = {
        each["id"]: each for each in map(json.loads, filter(lambda line: line.startswith('{"id"'), said.splitlines()))
    }
    assert told.keys() == set(wanted), said[-800:]
    assert {name: each["evidence"] for name, each in told.items() if each["outcome"] != "held"} == {}


@pytest.mark.parametrize(
    "code",
    [
        "open('/data/nafld/labs.parquet', 'r+b')",
        "open('/data/nafld/new', 'w')",
        "import os; os.unlink('/data/nafld/labs.parquet')",
        "import os; os.chmod('/data/nafld/labs.parquet', 0o777)",
        "open('/etc/jupyter/jupyter_server_config.py', 'a')",
        "open('/etc/jupyter/evil.py', 'w')",
        "open('/usr/local/bin/jupyterhub-singleuser', 'a')",
        "open('/new', 'w')",
        "open('/proc/sys/kernel/core_pattern', 'w')",
        "open('/proc/sysrq-trigger', 'w')",
        "open('/dev/vda', 'rb')",
        "open('/proc/kcore', 'rb').read(1)",
        "import socket; socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
        "import os; os.link('/data/nafld/labs.parquet', '/outbox/labs')",
        "import os; os.setuid(0)",
    ],
)
def test_nothing_but_the_own_folders_can_be_changed(inside: Workspace, code: str) -> None:
    refusals = {"EROFS", "EACCES", "EPERM", "ENOENT", "EXDEV"}
    assert attempt(inside, code) in refusals


def test_own_folders_are_writable_but_sized_and_nothing_in_them_runs(inside: Workspace) -> None:
    fill = "f = open('/outbox/fill', 'wb', 0); [f.write(bytes(1 << 20)) for _ in range(64)]; f.write(bytes(1 << 20))"
    assert attempt(inside, fill) == "ENOSPC"
    assert inside.python("import os; print(os.path.getsize('/outbox/fill') < 16 << 20)").startswith("True")
    run = (
        "import os, shutil; os.remove('/outbox/fill'); shutil.copy('/bin/true' if os.path.exists('/bin/true') "
        "else '/usr/bin/python3.11', '/home/analyst/work/run'); os.chmod('/home/analyst/work/run', 0o755); "
        "os.execv('/home/analyst/work/run', ['run'])"
    )
    assert attempt(inside, run) == "EACCES"


def test_processes_and_memory_are_bounded_and_the_server_survives(inside: Workspace) -> None:
    bomb = """
import os
children = []
try:
    while len(children) < 500:
        child = os.fork()
        if not child:
            import time; time.sleep(20)
        children.append(child)
except OSError as error:
    print(error.errno)
for child in children:
    os.kill(child, 9)
print(len(children))
"""
    errno, count, *_ = inside.python(bomb).splitlines()
    assert errno == "11"
    assert int(count) < inside.plan.pids
    assert "[exit 137]" in inside.python("x = b'1' * (1 << 30); print(len(x))")
    assert inside.python("print('alive')").startswith("alive")


def test_a_mount_below_a_view_on_the_host_is_not_seen_inside(world: World) -> None:
    name = "ef" * 32
    below = world.settings.views / name / "below"
    below.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", str(below)], check=True)
    try:
        (below / "secret").touch()
        plan = world.plan()
        mounts = plan_mounts(Roots.under(world.home), plan.workspace_id, {"nafld": View(below.parent, name)})
        mine = world.run(replace(plan, mounts=mounts))
        listed = "import os; print(os.listdir('/data/nafld/below'))"
        assert mine.python(listed).startswith("[]")
        assert attempt(mine, "open('/data/nafld/below/x', 'w')") == "EROFS"
        mine.end()
    finally:
        subprocess.run(["umount", str(below)], check=True)


def test_two_workspaces_do_not_see_each_other(world: World, inside: Workspace) -> None:
    other = world.run(world.plan(login="lee"))
    other.python("open('/home/analyst/work/mine', 'w').write('x')")
    assert "mine" not in inside.python("import os; print(os.listdir('/home/analyst/work'))")
    # Loopback is each one's own: the neighbour's server is not behind 8888 here.
    code = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8888/user/lee/x').read().decode())"
    inside.python("open('/tmp/marker', 'w')")
    assert "FileNotFoundError" in other.python("open('/tmp/marker')")
    assert "/user/lee/x" in inside.python(code)  # answered by the own agent, which answers everything
    other.end()
