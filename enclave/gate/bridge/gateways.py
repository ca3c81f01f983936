"""The doors to hub and portal on a bridge: they listen on the gateway's address and know a workspace by its own.

An address cannot be borrowed: the gate gives each workspace one of its own, a container without capabilities can
neither change it nor send from another, and the rules of `firewall` let an interface use its own subnet only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from enclave.gate.bridge.networks import Network
from enclave.gate.wire import Handler, close

LOG = logging.getLogger("ansim.gate.bridge")


class Gateways:
    """Listeners on every network's gateway, and which handlers each address has there."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        self._ports = ports
        self._servers: dict[Network, list[asyncio.Server]] = {}
        self._known: dict[tuple[str, str], Mapping[int, Handler]] = {}

    async def serve(self, network: Network) -> None:
        """Listen on this network's gateway; again is fine. Raises `OSError`."""
        if network in self._servers:
            return
        servers: list[asyncio.Server] = []
        try:
            for port in self._ports:
                handler = self._handler(network.name, port)
                servers.append(await asyncio.start_server(handler, network.gateway, port))
        except OSError:
            for server in servers:
                server.close()
            raise
        self._servers[network] = servers

    def admit(self, network: Network, address: str, handlers: Mapping[int, Handler]) -> None:
        """Answer this address on this network with these handlers, by port."""
        self._known[network.name, address] = handlers

    def dismiss(self, address: str) -> None:
        """Answer this address no more."""
        for key in [key for key in self._known if key[1] == address]:
            del self._known[key]

    def leave(self, name: str) -> None:
        """Stop listening on a network that is to be removed."""
        for network in [each for each in self._servers if each.name == name]:
            for server in self._servers.pop(network):
                server.close()

    def _handler(self, name: str, port: int) -> Handler:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Look at who it is first."""
            address = writer.get_extra_info("peername")[0]
            handler = self._known.get((name, address), {}).get(port)
            if handler:
                await handler(reader, writer)
            else:
                LOG.warning("%s asked at %s:%d and is no workspace of that network", address, name, port)
                await close(writer)

        return serve
