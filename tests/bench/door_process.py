"""The gate's door as a process of its own for the bench: `python -m tests.bench.door_process FOLDER PID`.

Before the sealed container with this process id, by sockets made in its namespace, as the gate does it. Prints its
port. Events are settled each half second, as the portal would.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from enclave.clock import now
from enclave.gate.assets import Assets
from enclave.gate.dockerd import Dockerd
from enclave.gate.door.book import Books
from enclave.gate.door.front import Front
from enclave.gate.door.screens import Screens
from enclave.gate.door.visit import Addresses
from enclave.gate.netns import hold, socket_inside
from enclave.gate.spool import Spool
from enclave.workspace.plan import Display, WorkspacePlan

PLENTY = 1 << 40
PORT = 8888


def _plan() -> WorkspacePlan:
    display = Display(64 << 20, 64 << 20, PLENTY, PLENTY, PLENTY, PLENTY, PLENTY, PLENTY)
    until = (now() + timedelta(hours=1)).replace(microsecond=0)
    return WorkspacePlan("w-1", "p-1", "a-1", "kim", "sha256:" + "0" * 64, (), until, display=display)


async def main(folder: Path, pid: int) -> None:
    """Serve until the process is ended."""
    netns = hold(pid)
    (folder / "w-1").mkdir()
    spool, screens, plan = Spool(folder / "spool"), Screens(folder, now), _plan()
    screens.begin(plan)
    addresses = Addresses("http://portal.test", "http", "ansim.test")
    front = Front(spool, addresses, Assets(folder, Dockerd(folder)), screens, Books(folder, now))

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        link = socket_inside(netns)
        await asyncio.get_running_loop().sock_connect(link, ("127.0.0.1", PORT))
        return await asyncio.open_connection(sock=link)

    server = await asyncio.start_server(front.handler(plan, connect), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while True:
        await asyncio.sleep(0.5)
        screens.touch("w-1")
        events = await asyncio.to_thread(spool.events, 1000)
        await asyncio.to_thread(spool.settle, [event.id for event in events])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
