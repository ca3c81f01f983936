"""The gate: the one privileged process. `python -m enclave.gate`, as root, settings from `$ANSIM_HOME`.

It alone holds the container engine's socket and the right to enter network namespaces. It knows no rules about
people or projects: it enforces signed plans and nothing else. Reading order: `plans`, `filter`, `netns`, `relay`,
`inbound`, `door`, `spool`, `collector`, `volumes`, `commands`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import pwd
import secrets
import shutil
import signal
import socket
from pathlib import Path

from enclave.clock import now
from enclave.gate.assets import Assets
from enclave.gate.bridge.bridge import Bridge
from enclave.gate.commands import Commands, Parts
from enclave.gate.dockerd import Dockerd
from enclave.gate.door.book import Books
from enclave.gate.door.front import Front
from enclave.gate.door.screens import Screens
from enclave.gate.door.visit import addresses_of
from enclave.gate.fastened import Fastened
from enclave.gate.filter import EngineFilter
from enclave.gate.gpus import Gpus
from enclave.gate.peer import peer_uid
from enclave.gate.plans import Plans
from enclave.gate.quiet import Quiet
from enclave.gate.relay import Relays, doors_of
from enclave.gate.spool import Spool
from enclave.gate.strays import Enclave, Strays
from enclave.gate.volumes import Volumes
from enclave.gate.wire import Handler, limited
from enclave.settings import Settings
from enclave.workspace.mounts import Roots

LOG = logging.getLogger("ansim.gate")
MOST_CONNECTIONS = 128


def prepare(settings: Settings, jupyter: Path | None) -> None:
    """Make the folders and the secret that are the gate's own; install the notebook server's configuration."""
    app, hub = pwd.getpwnam(settings.app_user), pwd.getpwnam(settings.hub_user)
    _folder(settings.volumes, 0o700)
    _folder(settings.mounted, 0o700)
    _folder(settings.assets, 0o700)
    # Entered but not listed by the portal's user: names of batches are random.
    _folder(settings.staging, 0o711)
    if not settings.run_folder.exists():
        _folder(settings.run_folder, 0o1775)
        os.chown(settings.run_folder, 0, app.pw_gid)
    settings.keys.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not settings.gate_secret.exists():
        fresh = settings.gate_secret.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        os.chown(fresh, app.pw_uid, -1)
        fresh.replace(settings.gate_secret)
    if jupyter:
        _install(jupyter, Roots.under(settings.home).config)
    LOG.info("portal is uid %d, hub is uid %d", app.pw_uid, hub.pw_uid)


def _folder(path: Path, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)


def _install(source: Path, target: Path) -> None:
    # Written over in place: running workspaces have this very folder mounted.
    shutil.copytree(source, target, dirs_exist_ok=True)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


async def serve(settings: Settings, docker_socket: Path) -> None:
    """Serve until SIGTERM or SIGINT; running workspaces go on, and are taken up again at the next start."""
    docker = Dockerd(docker_socket, ask_s=settings.engine_ask_s, order_s=settings.engine_order_s)
    roots = Roots.under(settings.home)
    spool = Spool(settings.spool)
    plans = Plans(roots, settings.plan_key.with_suffix(".pub"), settings.topology)
    screens, books = Screens(settings.volumes, now), Books(settings.volumes, now)
    assets = Assets(settings.assets, docker)
    front = Front(spool, addresses_of(settings), assets, screens, books)
    bridge = Bridge(settings, docker, spool)
    doors = doors_of(settings.gate_secret, settings.hub_port, settings.portal_port)
    relays = Relays(docker, plans, doors, front=front, bridge=bridge)
    app, hub = pwd.getpwnam(settings.app_user), pwd.getpwnam(settings.hub_user)
    gpus = Gpus()
    ours = Enclave(settings.home, settings.hub_port, settings.stray_seconds)
    strays = Strays(docker, plans, spool, enclave=ours, closed=relays.close)
    engine = EngineFilter(docker, plans, clock=now, ended=relays.close, asked=strays.asked, bridge=bridge, gpus=gpus)
    volumes, views = Volumes(settings.volumes), Fastened(roots)
    parts = Parts(docker, plans, relays, volumes, views, bridge, settings.staging, spool, now, gpus)
    commands = Commands(parts, app=app, hub=hub)
    # Before anybody can ask: a hub that comes back finds its workspaces reachable.
    await bridge.start()
    await relays.step()
    await commands.reruns.sweep()
    keeping = asyncio.gather(relays.keep(), strays.keep(), commands.storage.keep(docker, plans, now), commands.finish())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    servers = [
        await _listen(_bound(settings.engine_socket, owner=hub.pw_uid), only(hub.pw_uid, engine.serve)),
        await _listen(_bound(settings.gate_socket, group=hub.pw_gid), commands.serve),
    ]
    LOG.info("the gate is open: %s, %s", settings.engine_socket, settings.gate_socket)
    await stop.wait()
    keeping.cancel()
    await commands.reruns.close()
    for server in servers:
        server.close()
    bridge.stop()
    relays.close_all()


def only(uid: int, handler: Handler) -> Handler:
    """Return a handler that talks to one user id only; others are cut without a word."""

    async def checked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Look at the peer first."""
        if peer_uid(writer) == uid:
            await handler(reader, writer)
        else:
            LOG.warning("uid %d asked for the engine", peer_uid(writer))

    return checked


def _bound(path: Path, *, owner: int = 0, group: int | None = None) -> socket.socket:
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(str(path))
    # The kernel names the peer of each connection; the mode is a second lock. Portal and hub share the hub's group.
    path.chmod(0o600)
    os.chown(path, owner, -1 if group is None else group)
    if group is not None:
        path.chmod(0o660)
    return bound


async def _listen(bound: socket.socket, handler: Handler) -> asyncio.Server:
    return await asyncio.start_unix_server(limited(handler, most=MOST_CONNECTIONS), sock=bound)


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m enclave.gate", description="The gate of the enclave (root).")
    parser.add_argument("--docker-socket", type=Path, default=Path("/var/run/docker.sock"))
    parser.add_argument("--jupyter", type=Path, help="folder with the notebook server's configuration, installed first")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(Quiet())
    # httpx logs every call at INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = Settings.load()
    prepare(settings, options.jupyter)
    asyncio.run(serve(settings, options.docker_socket))


if __name__ == "__main__":
    main()
