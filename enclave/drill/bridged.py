"""Where a drill's workspaces are on a project's bridge (docs/adr/0011-bridge.md): what attacks there must know."""

from __future__ import annotations

from typing import Any

from enclave.drill.kernel import Kernel
from enclave.settings import Settings
from enclave.workspace.barriers.barrier import Outcome

PLACE = """
import json, socket
print(json.dumps([socket.gethostbyname(socket.gethostname()), socket.gethostbyname("gate")]))
"""
# Said by the neighbour itself: at its address it is heard, so silence elsewhere is the barrier's.
HEARD = """
import json, socket
socket.create_connection(({address!r}, {port}), timeout=5).close()
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"{control}", ({address!r}, {port}))
print(json.dumps(1))
"""
CONTROL = "control"


def bridged(settings: Settings, inside: Kernel, beside: Kernel, port: int) -> dict[str, Any]:
    """Return both workspaces' addresses, the gateway's, and those of all workspaces (`port`: the neighbour listens).

    Raises `KernelError` if nobody is heard at the neighbour's address.
    """
    own, gateway = inside.value(PLACE)
    neighbour, _ = beside.value(PLACE)
    beside.value(HEARD.format(address=neighbour, port=port, control=CONTROL))
    others = sorted({note.read_text().strip() for note in settings.volumes.glob("*/address")})
    return {"own": own, "neighbour": neighbour, "gateway": gateway, "others": others}


def datagrams(said: tuple[Outcome, str], heard: list[str], *, bridge: bool) -> tuple[Outcome, str]:
    """Return the outcome of `net.udp` together with what the neighbour heard; on a bridge it must have heard itself."""
    strange = [text for text in heard if text != CONTROL]
    if strange:
        return Outcome.BROKEN, f"{said[1]}; the neighbour heard {len(strange)} datagrams: {strange[0]!r}"
    if bridge and CONTROL not in heard:
        return Outcome.BROKEN, f"{said[1]}; the neighbour did not even hear itself"
    return said[0], f"{said[1]}; the neighbour heard none"
