"""What may pass between the host and the projects' bridges: the two doors, and the gate's own connections.

An internal network of the engine has no way out, but the host itself is open from it on every address and port
(measured on 20.10). Nothing here relies on the engine's own rules: it may run with `--iptables=false`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from enclave.errors import Unavailable
from enclave.gate.bridge.networks import Network

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
BRIDGED = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
HOOKS = (("INPUT", "-i", "IN"), ("OUTPUT", "-o", "OUT"), ("FORWARD", "-i", "FWD"), ("FORWARD", "-o", "FWD"))


class Firewall:
    """Three chains in `filter`, for the interfaces of this enclave (`enc<tag>-…`); `ports` are the doors'."""

    def __init__(self, tag: str, ports: Iterable[int]) -> None:
        self._interfaces, self._chain = f"enc{tag}-+", f"ANSIM-{tag}-"
        self._ports = ",".join(map(str, ports))

    def apply(self, networks: Iterable[Network]) -> None:
        """Put the chains in force for exactly these networks, in one step, before all other rules.

        Raises `Unavailable` (`gate.firewall`) if the kernel does not take them.
        """
        if not BRIDGED.exists() or BRIDGED.read_text().strip() != "1":
            # Without it two containers of one bridge speak to each other past every rule.
            raise _failed("bridge-nf-call-iptables is off")
        self._restore("iptables", self._rules(networks))
        closed = [f"-A {self._chain}{name} -j DROP" for name in ("IN", "OUT", "FWD")]
        self._restore("ip6tables", closed)
        for tool in ("iptables", "ip6tables"):
            self._hook(tool)

    def remove(self) -> None:
        """Take the chains away again (when no network of ours is left)."""
        for tool in ("iptables", "ip6tables"):
            for where, side, name in HOOKS:
                rule = (where, side, self._interfaces, "-j", self._chain + name)
                while _succeeds(tool, "-C", *rule):
                    _run([tool, "-w", "-D", *rule])
            for name in ("IN", "OUT", "FWD"):
                if _succeeds(tool, "-F", self._chain + name):
                    _run([tool, "-w", "-X", self._chain + name])

    def _rules(self, networks: Iterable[Network]) -> list[str]:
        into, out, through = (f"-A {self._chain}{name}" for name in ("IN", "OUT", "FWD"))
        doors = [
            f"{into} -i {each.bridge} -s {each.subnet} -d {each.gateway} -p tcp -m multiport --dports {self._ports}"
            " -j ACCEPT"
            for each in networks
        ]
        return [
            f"{into} -m conntrack --ctstate ESTABLISHED -j ACCEPT",
            *doors,
            f"{into} -j REJECT",
            # The gate alone speaks to a notebook server: a hub that was taken over must not pass the door by.
            f"{out} -m owner --uid-owner 0 -j ACCEPT",
            f"{out} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            f"{out} -j REJECT",
            f"{through} -j DROP",
        ]

    def _restore(self, tool: str, rules: list[str]) -> None:
        chains = [f":{self._chain}{name} - [0:0]" for name in ("IN", "OUT", "FWD")]
        text = "\n".join(["*filter", *chains, *rules, "COMMIT", ""])
        _run([f"{tool}-restore", "-w", "--noflush"], text)

    def _hook(self, tool: str) -> None:
        """Make our jumps the first rules of their chains; whoever reloads a firewall moves or loses them."""
        for where in ("INPUT", "OUTPUT", "FORWARD"):
            wanted = [(s, self._chain + n) for w, s, n in HOOKS if w == where]
            listed = _run([tool, "-w", "-S", where]).splitlines()[1:]
            ours = [f"-A {where} {side} {self._interfaces} -j {chain}" for side, chain in wanted]
            # Other enclaves' jumps may stand before ours: they look at other interfaces.
            head = [line for line in listed if " enc" not in line or line in ours][: len(ours)]
            if sorted(head) == sorted(ours):
                continue
            for side, chain in wanted:
                rule = (where, side, self._interfaces, "-j", chain)
                while _succeeds(tool, "-C", *rule):
                    _run([tool, "-w", "-D", *rule])
                _run([tool, "-w", "-I", where, "1", *rule[1:]])


def _succeeds(tool: str, flag: str, *rule: str) -> bool:
    command = [tool, "-w", flag, *rule]
    return subprocess.run(command, check=False, capture_output=True, env={"PATH": PATH}).returncode == 0


def _run(command: list[str], text: str = "") -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, env={"PATH": PATH})
    except FileNotFoundError as error:
        raise _failed(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise _failed(error.stderr.strip()[:300]) from error
    return done.stdout


def _failed(why: str) -> Unavailable:
    return Unavailable(
        "gate.firewall",
        ko=f"과제 네트워크를 막는 규칙을 넣지 못했습니다: {why}",
        en=f"The rules that close the projects' networks could not be put in force: {why}",
        remedy_ko="운영자가 iptables와 br_netfilter를 확인해야 합니다. 그때까지 작업공간은 시작되지 않습니다.",
        remedy_en="The operator checks iptables and br_netfilter. Until then no workspace starts.",
    )
