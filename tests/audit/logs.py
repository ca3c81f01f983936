"""Helpers of this room's tests: small logs written without a database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import durable
from audit.event import Event
from audit.note import Checkpoint, Signer
from audit.tiles import ENTRIES, WIDTH, Edge, Tile, pack

SIGNER = Signer("ansim.test/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
VKEY = SIGNER.vkey


def entry(number: int, *, project: str = "P-1") -> bytes:
    event = Event("thing.add", "done", f"u-{number % 7}", project=project, reason_text="이유", details={"n": number})
    return event.entry(entry_id=f"{number:026}", at=f"2026-01-01T00:00:00.{number:06}Z", observer="test")


def entries(count: int) -> list[bytes]:
    return [entry(number) for number in range(count)]


def publish(folder: Path, data: Sequence[bytes], *, edge: Edge | None = None, signer: Signer = SIGNER) -> Edge:
    """Write a log of `data` (all entries so far), growing `edge`, as the sequencer does."""
    folder.mkdir(parents=True, exist_ok=True)
    edge = edge or Edge()
    first = edge.size // WIDTH * WIDTH
    files: dict[Tile, bytes] = {}
    for at in range(first, len(data), WIDTH):
        bundle = data[at : at + WIDTH]
        files[Tile(ENTRIES, at // WIDTH, len(bundle))] = pack(bundle)
    files |= edge.extend(data[edge.size :])
    durable.write_new(folder, files)
    sign(folder, edge, signer=signer)
    return edge


def sign(folder: Path, edge: Edge, *, signer: Signer = SIGNER) -> None:
    note = signer.sign(str(Checkpoint(signer.name, edge.size, edge.root())))
    durable.write_checkpoint(folder, note.encode())
