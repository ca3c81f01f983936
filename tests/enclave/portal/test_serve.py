"""Who may connect to the core API: the file's mode and the peer's user id, each alone enough to refuse."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from enclave.portal import serve

NOBODY = 65534


async def hello(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not under pytest's own folder: another user must be able to walk to the socket.
    import shutil
    import tempfile

    path = Path(tempfile.mkdtemp(prefix="ansim-core-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def served(folder: Path) -> Iterator[Path]:
    path = folder / "core.sock"
    core_at, pages_at = serve.core_socket(path, "no-such-group"), serve.loopback_socket(0)
    servers: list[serve.QuietServer] = []
    import asyncio

    import uvicorn

    def work() -> None:
        config = uvicorn.Config(hello, http=serve.peer_checked({os.geteuid()}), log_config=None, lifespan="off")
        servers.append(serve.QuietServer(config))
        asyncio.run(servers[0].serve(sockets=[core_at]))

    thread = threading.Thread(target=work)
    thread.start()
    yield path
    servers[0].should_exit = True
    thread.join(10)
    pages_at.close()


def test_the_socket_is_for_its_owner_and_group_only(folder: Path) -> None:
    with serve.core_socket(folder / "core.sock", "no-such-group"):
        assert stat.S_IMODE((folder / "core.sock").stat().st_mode) == 0o660


def test_a_peer_of_the_right_user_is_answered(served: Path) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(served))) as client:
        assert client.get("http://core/").text == "ok"


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_a_peer_of_another_user_gets_nothing_even_if_the_file_lets_it_in(served: Path) -> None:
    served.chmod(0o666)
    attack = (
        "import os,socket,sys; os.setgid(65534); os.setuid(65534); s=socket.socket(socket.AF_UNIX); "
        "s.connect(sys.argv[1])\n"
        "try: s.sendall(b'GET / HTTP/1.1\\r\\nHost: core\\r\\n\\r\\n'); print(s.recv(100))\n"
        "except (ConnectionResetError, BrokenPipeError): print(b'')"
    )
    got = subprocess.run([sys.executable, "-c", attack, served], capture_output=True, text=True, check=False)
    assert (got.stdout.strip(), got.returncode) == ("b''", 0), got.stderr


def test_a_socket_left_by_a_killed_portal_is_replaced(folder: Path) -> None:
    left = serve.core_socket(folder / "core.sock", "no-such-group")
    left.close()
    with serve.core_socket(folder / "core.sock", "no-such-group"), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "core.sock"))


def test_a_second_portal_does_not_steal_the_socket_of_a_running_one(folder: Path) -> None:
    with serve.core_socket(folder / "core.sock", "no-such-group"), pytest.raises(OSError, match="another portal"):
        serve.core_socket(folder / "core.sock", "no-such-group")
