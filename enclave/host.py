"""What this host has that a workspace must not reach: its addresses, and the ports it listens on. Source: proc(5)."""

from __future__ import annotations

import re
import socket
from pathlib import Path

LISTENING = "0A"
LOCAL = re.compile(r"\|-- (\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL")


def addresses() -> list[str]:
    """Return the host's own addresses but loopback's, of both versions."""
    fourth = set(LOCAL.findall(Path("/proc/net/fib_trie").read_text()))
    sixth = Path("/proc/net/if_inet6")
    lines = sixth.read_text().splitlines() if sixth.exists() else []
    found = {socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0])) for line in lines}
    return sorted(address for address in fourth | found if not address.startswith("127.") and address != "::1")


def ports() -> list[int]:
    """Return every TCP port that somebody on the host listens on."""
    found = set()
    for name in ("tcp", "tcp6"):
        path = Path("/proc/net", name)
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            fields = line.split()
            if fields[3] == LISTENING:
                found.add(int(fields[1].rpartition(":")[2], 16))
    return sorted(found)
