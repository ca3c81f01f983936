"""Attacks that only a bridge offers: the host behind the gateway, neighbours, resolvers, borrowed addresses."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from enclave import host
from enclave.errors import Denied
from enclave.gate.bridge import bridge as bridges
from enclave.gate.bridge.bridge import Bridge, remove_all
from enclave.gate.bridge.firewall import Firewall
from enclave.gate.bridge.networks import tag_of
from enclave.gate.bridge.selftest import judge
from enclave.gate.dockerd import Dockerd
from enclave.gate.spool import Spool
from enclave.settings import Settings
from enclave.workspace.topology import Topology, network_of
from tests.enclave.gate.tiny_image import tiny_image
from tests.enclave.gate.world import Workspace, World, until

pytestmark = [pytest.mark.redteam, pytest.mark.docker]
ENGINE = Dockerd(Path("/var/run/docker.sock"))

CONNECT = """
import socket
for address in {addresses!r}:
    try:
        socket.create_connection((address, {port}), timeout=2)
        print("REACHED", address)
    except OSError:
        pass
print("tried")
"""


@pytest.fixture(scope="module")
def inside(bridge_inside: Workspace) -> Workspace:
    return bridge_inside


@pytest.fixture(scope="module")
def world(inside: Workspace) -> World:
    return inside.world


@pytest.fixture(scope="module")
def neighbour(world: World, inside: Workspace) -> Workspace:
    assert inside.plan.network == network_of(world.project(), Topology.BRIDGE)
    return world.run(world.plan(login="ahn"))


@pytest.fixture(scope="module")
def stranger(world: World) -> Workspace:
    other = network_of(world.project(2), Topology.BRIDGE)
    return world.run(world.plan(login="park", project_id=world.project(2), network=other))


def address_of(workspace: Workspace) -> str:
    client = docker.APIClient(version="1.41")
    with closing(client):
        networks = client.inspect_container(workspace.container)["NetworkSettings"]["Networks"]
    (each,) = networks.values()
    return str(each["IPAddress"])


def reached(inside: Workspace, port: int, *places: str) -> str:
    said = inside.python(CONNECT.format(addresses=places, port=port))
    assert "tried" in said
    return said


def test_no_port_of_the_host_is_reached_on_any_of_its_addresses(inside: Workspace, stranger: Workspace) -> None:
    with socket.create_server(("0.0.0.0", 0)) as canary:
        port = canary.getsockname()[1]
        assert len(host.addresses()) > 3  # the host's own, and two projects' gateways
        assert "REACHED" not in reached(inside, port, *host.addresses())
        # The canary is alive: from the host itself the gateway answers.
        socket.create_connection((address_of(stranger).rpartition(".")[0] + ".1", port), timeout=2).close()


@pytest.mark.parametrize("port", [8081, 8085])
def test_the_doors_of_another_project_are_not_reached(inside: Workspace, stranger: Workspace, port: int) -> None:
    theirs = address_of(stranger).rpartition(".")[0] + ".1"
    assert "REACHED" not in reached(inside, port, theirs)
    assert "REACHED gate" in reached(inside, port, "gate")


def test_neighbours_of_the_same_and_of_other_projects_are_not_reached(
    inside: Workspace, neighbour: Workspace, stranger: Workspace
) -> None:
    assert address_of(neighbour).rpartition(".")[0] == address_of(inside).rpartition(".")[0]
    assert "REACHED" not in reached(inside, 8888, address_of(neighbour), address_of(stranger))
    assert "REACHED" in reached(inside, 8888, address_of(inside))


def test_no_datagram_reaches_host_or_neighbour_and_no_resolver_answers(inside: Workspace) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as canary:
        canary.bind(("0.0.0.0", 0))
        canary.setblocking(False)
        code = f"""
import socket, time
for address in {host.addresses()!r}:
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try: s.sendto(b"x", (address, {canary.getsockname()[1]}))
    except OSError: pass
s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(3)
s.sendto(bytes.fromhex("12340100000100000000000003616263076578616d706c650000010001"), ("127.0.0.11", 53))
try: print("RCODE", s.recv(512)[3] & 15)
except OSError: print("silent")
"""
        said = inside.python(code)
        assert "silent" in said or "RCODE 2" in said or "RCODE 5" in said
        with pytest.raises(BlockingIOError):
            canary.recv(16)


BORROW = """
import fcntl, socket, struct
THEIRS, GATE = {theirs!r}, ("gate", 8085)
def attempt(what, act):
    try: act(); print("SUCCEEDED", what)
    except OSError: pass
def bound(option=None):
    s = socket.socket(); s.settimeout(2)
    if option: s.setsockopt(*option, 1)
    s.bind((THEIRS, 0)); s.connect(GATE)
def readdress():
    request = struct.pack("16sH2s4s8s", b"eth0", 2, b"", socket.inet_aton(THEIRS), b"")
    fcntl.ioctl(socket.socket(type=socket.SOCK_DGRAM), 0x8916, request)
attempt("bind", bound)
attempt("freebind", lambda: bound((0, 15)))
attempt("transparent", lambda: bound((0, 19)))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 255))
attempt("packet", lambda: socket.socket(17, socket.SOCK_RAW, 3))
attempt("address", readdress)
print("tried")
"""


def test_a_neighbours_address_cannot_be_borrowed(inside: Workspace, neighbour: Workspace) -> None:
    said = inside.python(BORROW.format(theirs=address_of(neighbour)))
    assert "tried" in said
    assert "SUCCEEDED" not in said


def test_the_portal_is_told_which_of_two_neighbours_asks(world: World, inside: Workspace, neighbour: Workspace) -> None:
    ask = "import urllib.request as u; print(u.urlopen('http://gate:8085/api/workspace/v1/me').status)"
    for workspace in (inside, neighbour, inside):
        assert workspace.python(ask).startswith("200")
        headers = {key.lower(): value for key, value in world.portal.seen[-1][2].items()}
        assert headers["x-ansim-workspace"] == workspace.plan.workspace_id


def test_the_hubs_user_cannot_pass_the_door_by(inside: Workspace) -> None:
    """On a bridge the notebook server has an address that any process of the host could call."""
    code = f"import socket; socket.create_connection(({address_of(inside)!r}, 8888), timeout=2); print('REACHED')"
    command = [sys.executable, "-c", code]
    as_root = subprocess.run(command, capture_output=True, text=True, check=False)
    as_other = subprocess.run(command, capture_output=True, text=True, check=False, user="daemon", group="daemon")
    assert ("REACHED" in as_root.stdout, "REACHED" in as_other.stdout) == (True, False)


def test_a_container_that_somebody_put_on_a_second_network_is_not_served(world: World) -> None:
    plan = world.plan(login="choi")
    world.register(plan)
    container = world.create(plan)
    client = world.engine()
    client.start(container)
    client.close()
    second = f"t-{plan.workspace_id}"
    subprocess.run(["docker", "network", "create", "--subnet", "10.212.77.0/24", second], check=True)
    try:
        subprocess.run(["docker", "network", "connect", second, container], check=True)
        with pytest.raises(Denied) as refused:
            world.gate.relay(plan.workspace_id, container)
        assert refused.value.code == "gate.topology"
        world.gate.revoke(plan.workspace_id)
    finally:
        subprocess.run(["docker", "network", "rm", second], check=True)


def test_rules_that_somebody_flushed_come_back(world: World, inside: Workspace) -> None:
    chain, hook = f"ANSIM-{tag_of(world.home)}-IN", ["INPUT", "-i", f"enc{tag_of(world.home)}-+", "-j"]
    with socket.create_server(("0.0.0.0", 0)) as canary:
        gateway = address_of(inside).rpartition(".")[0] + ".1"
        port = canary.getsockname()[1]

        def open_again() -> bool:
            subprocess.run(["iptables", "-w", "-F", chain], check=True)
            subprocess.run(["iptables", "-w", "-D", *hook, chain], check=False, capture_output=True)
            return "REACHED" in reached(inside, port, gateway)

        until(open_again)  # that is what the rules are for; the gate may be quicker than we
        until(lambda: "REACHED" not in reached(inside, port, gateway), seconds=40)


def test_the_gate_of_a_sealed_installation_serves_no_bridge_plan(sealed_inside: Workspace) -> None:
    sealed = sealed_inside.world
    plan = sealed.plan(network=network_of(sealed.project(), Topology.BRIDGE))
    with pytest.raises(Denied) as refused:
        sealed.register(plan)
    assert refused.value.code == "gate.plan-network"
    with pytest.raises(docker.errors.APIError, match="plan-unknown"):
        sealed.create(plan)


def test_another_projects_network_is_refused(world: World) -> None:
    plan = world.plan(network=network_of(world.project(2), Topology.BRIDGE))
    with pytest.raises(Denied) as refused:
        world.register(plan)
    assert refused.value.code == "gate.plan-network"


def test_the_network_goes_with_the_last_workspace_of_its_project(world: World) -> None:
    name = network_of(world.project(3), Topology.BRIDGE)
    first, second = (
        world.run(world.plan(project_id=world.project(3), network=name, login=each)) for each in ("a1", "b1")
    )
    listed = ["docker", "network", "ls", "--quiet", "--filter", f"name={name}"]
    first.end()
    assert subprocess.run(listed, capture_output=True, check=True).stdout
    assert second.python("print(1)").startswith("1")
    second.end()
    assert not subprocess.run(listed, capture_output=True, check=True).stdout


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    made = Settings(home=tmp_path, topology=str(Topology.BRIDGE), image=tiny_image())
    yield made
    asyncio.run(remove_all(made, ENGINE))


def test_a_topology_that_leaks_serves_nothing_and_says_so(
    settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The barrier taken away: with rules that do nothing the self-test finds the host's ports."""
    monkeypatch.setattr(bridges.Firewall, "apply", lambda *_: None)
    spool = Spool(settings.spool)
    plan = world.plan()
    with pytest.raises(Denied) as refused:
        asyncio.run(Bridge(settings, ENGINE, spool).prepare(plan))
    assert refused.value.code == "gate.topology-open"
    (event,) = spool.events()
    assert (event.kind, event.details["outcome"]) == ("topology-tested", "failed")
    assert "answers" in str(event.details["first"]) or "arrives" in str(event.details["first"])


def test_an_engine_without_the_image_serves_nothing(settings: Settings, world: World) -> None:
    lost = Settings(home=settings.home, topology=settings.topology, image="sha256:" + "0" * 64)
    with pytest.raises(Denied, match="self-test could not be made"):
        asyncio.run(Bridge(lost, ENGINE, Spool(settings.spool)).prepare(world.plan()))


def test_rules_are_put_in_and_taken_out_without_a_trace(tmp_path: Path) -> None:
    def listed() -> str:
        return "".join(
            subprocess.run([tool, "-w", "-S"], capture_output=True, text=True, check=True).stdout
            for tool in ("iptables", "ip6tables")
        )

    tag = tag_of(tmp_path)
    rules = Firewall(tag, (8081, 8085))
    rules.apply([])
    rules.apply([])
    assert listed().count(f"-j ANSIM-{tag}-") == 8
    rules.remove()
    rules.remove()
    assert f"ANSIM-{tag}" not in listed()


DOORS = [("10.0.0.1", 8081), ("10.0.0.1", 8085)]


@pytest.mark.parametrize(
    ("tcp", "dns", "wrong"),
    [
        (DOORS, [], 0),
        (DOORS[:1], [], 1),
        ([], [], 2),
        ([*DOORS, ("10.0.0.1", 22)], [], 1),
        (DOORS, [("127.0.0.11", 53)], 1),
    ],
    ids=["holds", "a door is shut", "nothing works", "a port of the host", "a resolver"],
)
def test_only_both_doors_and_nothing_else_passes_the_self_test(
    tcp: list[tuple[str, int]], dns: list[tuple[str, int]], wrong: int
) -> None:
    assert len(judge({"tcp": tcp, "dns": dns}, DOORS)) == wrong
