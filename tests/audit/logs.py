"""Helpers of this room's tests: small logs written without a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import bundle, durable, stamps
from audit.anchors import Anchors, merged
from audit.bundle import Source
from audit.event import Event
from audit.note import Checkpoint, Signer
from audit.reader import LogReader
from audit.tiles import ENTRIES, WIDTH, Edge, Tile, pack
from audit.witness import Witness
from tests.audit.tsa import LocalTsa

SIGNER = Signer("ansim.test/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
VKEY = SIGNER.vkey
# The entries that test bundles hold: across two tiles, and one alone.
CHOSEN = [*range(250, 261), 599]
WITNESSED = 1_764_000_000


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


def anchored(log: Path, folder: Path, tsa: LocalTsa) -> Source:
    """Have the newest checkpoint cosigned by a witness (Ed25519, ML-DSA-44) and stamped; return what a bundle needs."""
    anchors, witness = Anchors(folder / "anchors"), Witness.create(folder / "witness", "audit.test/w1", [VKEY])
    names = [f"w{number}" for number, _ in enumerate(witness.cosigners)]
    lines = [f"witness {name} {each.vkey}" for name, each in zip(names, witness.cosigners, strict=True)]
    anchors.keep_policy("\n".join([f"log {VKEY}", *lines, f"group g all {' '.join(names)}", "quorum g", ""]))
    reader = LogReader(log, VKEY)
    given = "".join(each.cosign(reader.checkpoint, time=WITNESSED) + "\n" for each in witness.cosigners)
    anchors.keep(merged(reader.note, given))
    anchors.keep_stamp(reader.size, tsa.reply(stamps.stamp_query(str(reader.checkpoint).encode())))
    (folder / "tsa.pem").write_bytes(tsa.trusted)
    return Source(log, VKEY, anchors.folder, folder / "tsa.pem")


def make(source: Source, target: Path, indexes: Iterable[int] = CHOSEN) -> Path:
    """Write a bundle; return its folder."""
    bundle.write(target, source, indexes=indexes, selection={"project": "P-1"})
    return target
