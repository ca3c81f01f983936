"""Where the scheduler is and how the way to it is closed: TLS with certificates of both sides, or this machine alone.

Whoever reaches a Dask scheduler can have its workers run any code, and they hold a master key: an open port on another
machine is refused unless somebody says that the network itself is closed.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from deid.crew.refusals import refused

ADDRESS = re.compile(r"(tls|tcp)://(\[[0-9A-Fa-f:]+\]|[^\s:/\[\]@]+):([0-9]{1,5})")


@dataclass(frozen=True)
class Cluster:
    """A Dask scheduler's address, the PEM files for TLS, and whether an unencrypted way to it was asked for."""

    address: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    unencrypted: bool = False

    def check(self) -> None:
        """Raise `WorkersRefused` for no address, an open way to another machine, or TLS without its files."""
        found = ADDRESS.fullmatch(self.address)
        if not found:
            raise refused("address")
        if found[1] == "tcp" and not self.unencrypted and not is_here(found[2]):
            raise refused("open-network", self.address)
        if found[1] == "tls":
            for path in (self.ca, self.certificate, self.key):
                if path is None or not path.is_file():
                    raise refused("tls", "" if path is None else str(path))


def is_here(host: str) -> bool:
    """Whether a host is this machine itself: `localhost` or a loopback address, never a name that is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
