"""Attacks on the network from a workspace on a project's bridge, in place of those that only a sealed one can refuse.

Put behind `network`, whose probes of the same ids these replace. A bridge has one way out, the own gateway's two
doors: each scan must reach both, or it could find nothing, and must reach nothing else. The engine gives it a default
route all the same; the host's rules refuse what is for the host and drop what is for anybody else. Silence is also what
an address without anybody sounds like: the neighbour, which is heard at its own address and not here, tells them apart.
Facts beside `network`'s: `bridge` with `own` and `neighbour` (addresses), `gateway`, `others` (addresses of all
workspaces of this enclave); `gate` (the name of the doors' host).
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from enclave.workspace.barriers.inside.kit import Verdict, all_refused, broken, held, name_of, probe, told
from enclave.workspace.barriers.inside.network import (
    METADATA,
    NO_WAY,
    OUTSIDE,
    QUERY,
    TEMPLATES,
    by_ioctl,
    configure,
    database,
    tcp_to,
    udp_to,
)

Place = tuple[str, int]
REACHED, SILENT = "REACHED", "silent"
# The host's rules refuse (and the kernel says so a few times a second only), or drop.
TURNED_AWAY = ("ECONNREFUSED", SILENT, *NO_WAY)
WAIT_S = 3.5
AT_ONCE = 200
NOTEBOOK = 8888
SERVFAIL, REFUSED = 2, 5
SIXTH = ("2001:4860:4860::8888", "fd00::1", "fe80::1", "ff02::1", "64:ff9b::808:808")
MAPPED = "::ffff:8.8.8.8"


def scan(places: Iterable[Place]) -> dict[Place, str]:
    """Try to connect to each, many at once because silence takes time; returns `REACHED`, `silent` or an errno's name."""
    wanted = list(dict.fromkeys(places))
    answers: dict[Place, str] = {}
    for first in range(0, len(wanted), AT_ONCE):
        answers |= _scan(wanted[first : first + AT_ONCE])
    return answers


def _scan(places: list[Place]) -> dict[Place, str]:
    answers: dict[Place, str] = {}
    with contextlib.ExitStack() as stack:
        waiting, poll = {}, select.poll()
        for place in places:
            link = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET))
            link.settimeout(0)
            code = link.connect_ex(place)
            if code == errno.EINPROGRESS:
                waiting[link.fileno()] = link, place
                poll.register(link, select.POLLOUT)
            else:
                answers[place] = name_of(code) if code else REACHED
        end = time.monotonic() + WAIT_S
        while waiting and time.monotonic() < end:
            for number, _ in poll.poll(200):
                link, place = waiting.pop(number)
                poll.unregister(number)
                code = link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                answers[place] = name_of(code) if code else REACHED
    return answers | {place: SILENT for _, place in waiting.values()}


def judged(facts: dict[str, Any], places: Iterable[Place], *, also: tuple[Place, ...] = ()) -> Verdict:
    """Scan these and both doors: held if the doors answer (and `also`, to show that the scan can find), nothing else."""
    open_ = {*((facts["bridge"]["gateway"], port) for port in facts["door_ports"]), *also}
    answers = scan([*sorted(open_), *places])
    wrong = {
        f"{address}:{port}": said
        for (address, port), said in answers.items()
        if said not in _expected(address, meant=(address, port) in open_)
    }
    if wrong or len(answers) == len(open_):
        return broken("; ".join(f"{a}: {s}" for a, s in list(wrong.items())[:6]) or "nothing was tried")
    reached = ", ".join(f"{address}:{port}" for address, port in sorted(open_))
    return held(f"{_counted(answers)} (reached: {reached}, as meant)")


def _counted(answers: Mapping[Any, str]) -> str:
    return ", ".join(f"{list(answers.values()).count(said)} × {said}" for said in sorted(set(answers.values())))


def _expected(address: str, *, meant: bool) -> tuple[str, ...]:
    if meant:
        return (REACHED,)
    if address.startswith("127."):
        return ("ECONNREFUSED",)
    return TURNED_AWAY


def ask(address: str) -> str:
    """Ask a resolver over UDP and over TCP; returns both answers: an errno's name, `silent`, or the DNS code."""
    return f"{_told(lambda: _udp_code(address))}/{_told(lambda: _tcp_code(address))}"


def _told(attempt: Callable[[], str]) -> str:
    try:
        return attempt()
    except TimeoutError:
        return SILENT
    except OSError as error:
        return name_of(error.errno)


def _code(answer: bytes) -> str:
    return f"code {answer[3] & 15}" if len(answer) > 3 else "closed"  # noqa: PLR2004 - the second byte of the flags


def _udp_code(address: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(2)
        link.connect((address, 53))
        link.send(QUERY)
        return _code(link.recv(512))


def _tcp_code(address: str) -> str:
    with socket.create_connection((address, 53), timeout=2) as link:
        link.sendall(len(QUERY).to_bytes(2, "big") + QUERY)
        return _code(link.recv(514)[2:])


def _unresolved(answers: dict[str, tuple[str, tuple[str, ...]]]) -> Verdict:
    """Held if both ways to ask each resolver ended as expected (address → what was said, what may be)."""
    wrong = [f"{a}: {said}" for a, (said, good) in answers.items() if not set(said.split("/")) <= set(good)]
    if wrong or not answers:
        return broken("; ".join(wrong) or "nothing was tried")
    return held("; ".join(f"{address}: {said}" for address, (said, _) in answers.items()) + " (UDP/TCP)")


# The engine's resolver is in every container of a network: what it must not do is ask somebody.
NOBODY_ASKED = (f"code {SERVFAIL}", f"code {REFUSED}", "closed", *TURNED_AWAY)


@probe("net.tcp")
def tcp_bridge(facts: dict[str, Any]) -> Verdict:
    """TCP to addresses of the Internet."""
    return judged(facts, [(address, port) for address in OUTSIDE for port in (53, 80, 443)])


@probe("net.metadata")
def metadata_bridge(facts: dict[str, Any]) -> Verdict:
    """The cloud's metadata service and the whole link-local range."""
    return judged(facts, [(address, port) for address in METADATA for port in (80, 8080)])


@probe("net.ipv6")
def ipv6_bridge(facts: dict[str, Any]) -> Verdict:
    """IPv6: there must be no way; IPv4 in its clothes is IPv4."""
    answers = {f"{a}": told(tcp_to(a, 53)) for a in SIXTH} | {f"udp {a}": told(udp_to(a, 53)) for a in SIXTH[:3]}
    wrong = {a: said for a, said in answers.items() if said not in {*NO_WAY, "EAFNOSUPPORT", "EPERM"}}
    outcome, said = judged(facts, [(MAPPED, 53), (MAPPED, 443)])
    if wrong or outcome != "held":
        return broken(f"{wrong}; {said}")
    return held(f"{_counted(answers)}; {said}")


@probe("net.udp")
def udp_bridge(facts: dict[str, Any]) -> Verdict:
    """UDP to addresses of the Internet and to the neighbour, which counts what it hears."""
    places = [
        *((a, p) for a in OUTSIDE for p in (123, 443, 5353)),
        (facts["bridge"]["neighbour"], facts["neighbour"]["port"]),
    ]
    return _unanswered(facts, {f"{a}:{p}": (socket.SOCK_DGRAM, 0, a, p) for a, p in places}, b"leak")


@probe("net.icmp")
def icmp_bridge(facts: dict[str, Any]) -> Verdict:
    """Ping, with the socket that needs no privilege and with the one that does; to the world, neighbour and host."""
    addresses = (OUTSIDE[0], facts["bridge"]["neighbour"], facts["bridge"]["gateway"])
    kinds = {"datagram": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW}
    places = {f"{name} {a}": (kind, socket.IPPROTO_ICMP, a, 0) for name, kind in kinds.items() for a in addresses}
    return _unanswered(facts, places, b"\x08\x00\xf7\xfe\x00\x00\x00\x01" + b"leak")


def _unanswered(facts: dict[str, Any], places: Mapping[str, tuple[int, int, str, int]], data: bytes) -> Verdict:
    """Send to each (kind, protocol, address, port) and listen: held if nobody answers, while both doors do."""
    links, answers = {}, {}
    with contextlib.ExitStack() as stack:
        for name, (kind, protocol, address, port) in places.items():
            try:
                link = stack.enter_context(socket.socket(socket.AF_INET, kind, protocol))
                link.connect((address, port))
                link.send(data)
                link.settimeout(0)
                links[name] = link
            except OSError as error:
                answers[name] = name_of(error.errno)
        time.sleep(WAIT_S)
        answers |= {name: _late_answer(link) for name, link in links.items()}
    wrong = {
        name: said for name, said in answers.items() if said not in {*TURNED_AWAY, "EACCES", "EPERM", "EPROTONOSUPPORT"}
    }
    outcome, doors = judged(facts, [(facts["bridge"]["gateway"], 53)])
    if wrong or outcome != "held":
        return broken(f"{wrong}; doors: {doors}")
    return held(f"{_counted(answers)}; doors: {doors}")


def _late_answer(link: socket.socket) -> str:
    try:
        link.recv(512)
    except BlockingIOError:
        return SILENT
    except OSError as error:
        return name_of(error.errno)
    return "ANSWERED"


@probe("net.dns-embedded")
def dns_embedded_bridge(_: dict[str, Any]) -> Verdict:
    """The engine's embedded resolver (CVE-2024-29018), over UDP and TCP: it may be there and must ask nobody."""
    return _unresolved({"127.0.0.11": (ask("127.0.0.11"), NOBODY_ASKED)})


@probe("net.dns-servers")
def dns_servers_bridge(facts: dict[str, Any]) -> Verdict:
    """The resolvers that the system names, the gateway, and well-known ones, asked directly."""
    lines = Path("/etc/resolv.conf").read_text().splitlines() if Path("/etc/resolv.conf").exists() else []
    named = [line.split()[1] for line in lines if line.startswith("nameserver")]
    good: dict[str, tuple[str, ...]] = dict.fromkeys([*named, *OUTSIDE[:2], facts["bridge"]["gateway"]], TURNED_AWAY)
    good |= {"127.0.0.11": NOBODY_ASKED, "127.0.0.53": ("ECONNREFUSED",)}
    return _unresolved({address: (ask(address), expected) for address, expected in good.items()})


@probe("net.host-addresses")
def host_addresses_bridge(facts: dict[str, Any]) -> Verdict:
    """The own gateway first, then each other address of the host, on each port that the host listens on."""
    ports = [*facts["host_ports"], *facts["door_ports"], 22, 53, 2375, 2376]
    addresses = [facts["bridge"]["gateway"], *facts["host_addresses"]]
    return judged(facts, [(address, port) for address in addresses for port in ports])


@probe("net.other-workspaces")
def other_workspaces_bridge(facts: dict[str, Any]) -> Verdict:
    """The neighbour on the same bridge, all other workspaces' addresses, and the host's relays to them."""
    bridge, heard = facts["bridge"], facts["neighbour"]["port"]
    beside = [address for address in [bridge["neighbour"], *bridge["others"]] if address != bridge["own"]]
    places = [(address, port) for address in beside for port in (heard, NOTEBOOK, *facts["door_ports"])]
    relays = [*facts["relay_ports"], heard]
    places += [(address, port) for address in ("127.0.0.1", *facts["host_addresses"]) for port in relays]
    # Its own server answers at its address: so would a neighbour's.
    return judged(facts, places, also=((bridge["own"], NOTEBOOK),))


@probe("net.interfaces")
def interfaces_bridge(facts: dict[str, Any]) -> Verdict:
    """Whether there is more than loopback and the bridge: an interface, an address, a route, IPv6."""
    bridge = facts["bridge"]
    names = [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]
    real = [name for name in names if name not in TEMPLATES]
    routes = [line.split()[:3] for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    subnet = socket.inet_aton(bridge["gateway"].rpartition(".")[0] + ".0")[::-1].hex().upper()
    lines = Path("/proc/net/fib_trie").read_text().splitlines()
    pairs = pairwise(lines)
    own = {line.split()[-1] for line, below in pairs if "|--" in line and "/32 host LOCAL" in below}
    own = {address for address in own if not address.startswith("127.")}
    sixth = Path("/proc/net/if_inet6")
    new = [line for line in sixth.read_text().splitlines() if line.split()[-1] != "lo"] if sixth.exists() else []
    gateway = socket.inet_aton(bridge["gateway"])[::-1].hex().upper()
    # The engine's default route leads to the gateway, whose rules forward nothing.
    possible = [[*real, subnet, "00000000"], [*real, "00000000", gateway]]
    known = all(route in possible for route in routes)
    right = len(real) == 1 and known and own == {bridge["own"]} and not new
    if not right or bridge["gateway"] not in facts["host_addresses"]:
        return broken(f"interfaces {real}, routes {routes}, addresses {sorted(own)}, IPv6 {new}")
    return held(
        f"interfaces lo and {real[0]}, one address, {len(routes)} routes (own subnet, own gateway), no IPv6 address"
    )


@probe("net.configure")
def configure_bridge(facts: dict[str, Any]) -> Verdict:
    """Giving oneself an address, a route, an interface; here also the neighbour's address, and a way out."""
    theirs, any_ = socket.inet_aton(facts["bridge"]["neighbour"]), struct.pack("=H14x", 2)
    address = struct.pack("16sH2s4s8x", b"eth0", 2, b"", theirs)
    # struct rtentry: to anywhere, by the gateway.
    gateway = struct.pack("=HH4s8x", 2, 0, socket.inet_aton(facts["bridge"]["gateway"]))
    route = struct.pack("@L16s16s16sH62x", 0, any_, gateway, any_, 3)
    more = {"the neighbour's address": by_ioctl(0x8916, address), "a default route": by_ioctl(0x890B, route)}
    (before, said), (after, here) = configure(facts), all_refused(more, "EPERM", "EACCES")
    return (held if before == after == "held" else broken)(f"{said}; {here}")


@probe("net.database")
def database_bridge(facts: dict[str, Any]) -> Verdict:
    """The database: its ports, its sockets, its file; and its ports at the gateway."""
    before, said = database({**facts, "host_addresses": []})
    places = [(address, port) for address in facts["host_addresses"] for port in (5432, 3306, 6379)]
    after, here = judged(facts, places)
    return (held if before == after == "held" else broken)(f"{said}; {here}")


@probe("net.gate-ports")
def gate_ports_bridge(facts: dict[str, Any]) -> Verdict:
    """Taking the doors' place: their address, their ports, their name; what is said to them must reach them."""
    gateway, ports = facts["bridge"]["gateway"], facts["door_ports"]
    taken = {f"bind {gateway}:{p}": told(lambda p=p: _listen(gateway, p).close()) for p in ports}  # type: ignore[misc]
    wrong = {what: said for what, said in taken.items() if said not in {"EADDRNOTAVAIL", "EADDRINUSE"}}
    name = told(lambda: os.close(os.open("/etc/hosts", os.O_WRONLY | os.O_APPEND)))
    found = socket.gethostbyname(facts["gate"])
    if wrong or name not in {"EACCES", "EROFS", "EPERM"} or found != gateway:
        return broken(f"{wrong}; /etc/hosts: {name}; {facts['gate']} is {found}")
    heard = {port: _heard(facts["gate"], gateway, port) for port in ports}
    if any(here or not there for here, there in heard.values()):
        return broken(f"heard here, answered by the door: {heard}")
    return held(f"{taken}; /etc/hosts: {name}; {len(heard)} doors answered and listeners in their place heard nothing")


def _listen(address: str, port: int, *, free: bool = False) -> socket.socket:
    link = socket.socket()
    try:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if free:
            link.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND: needs no privilege
        link.bind((address, port))
        link.listen()
    except OSError:
        link.close()
        raise
    return link


def _heard(gate: str, gateway: str, port: int) -> tuple[bool, bool]:
    """Listen wherever it is possible and speak to the door; returns whether it was heard here, whether the door spoke."""
    with contextlib.ExitStack() as stack:
        listeners = []
        for address, free in (("0.0.0.0", False), (gateway, True)):
            with contextlib.suppress(OSError):
                listeners.append(stack.enter_context(_listen(address, port, free=free)))
        answer = b""
        with contextlib.suppress(OSError), socket.create_connection((gate, port), timeout=5) as link:
            link.sendall(b"GET /hub/api HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            answer = link.recv(64)
        return bool(select.select(listeners, [], [], 0)[0]) if listeners else False, answer.startswith(b"HTTP/1")
