"""Verifiers that others wrote accept our log and refuse a damaged one: Go, tlog-scales, sigstore, pymerkle."""

from __future__ import annotations

import base64
import dataclasses
import random
import subprocess
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.exceptions import InvalidSignature
from pymerkle import InmemoryTree
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore.errors import VerificationError
from sqlalchemy import create_engine
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey, VkeySet

from audit import outbox, tables
from audit.cosignature import ED25519, MLDSA44, Cosigner
from audit.event import Event
from audit.merkle import leaf_hash
from audit.reader import LogReader
from audit.sequencer import Sequencer
from audit.tiles import ENTRIES, Edge, Tile
from tests.audit.go_build import build
from tests.audit.logs import SIGNER, VKEY, publish


@pytest.fixture(scope="module")
def go_verifier(tmp_path_factory) -> Path:
    """The Go program, built offline."""
    return build("verify", tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="module")
def large_log(tmp_path_factory) -> Path:
    """70,000 entries in uneven steps: three levels of tiles, partial at each."""
    folder, edge = tmp_path_factory.mktemp("large"), Edge()
    data = [b"entry %d" % number for number in range(70_000)]
    for size in (1, 300, 65_536, 70_000):
        publish(folder, data[:size], edge=edge)
    return folder


@pytest.fixture(scope="module")
def sequenced_log(tmp_path_factory) -> Path:
    """900 entries as our sequencer itself ordered and published them, in uneven steps."""
    folder = tmp_path_factory.mktemp("sequenced")
    engine = create_engine(f"sqlite:///{folder / 'log.sqlite'}")
    tables.metadata.create_all(engine)
    with closing(Sequencer(engine, folder / "log", SIGNER, SIGNER.name)) as sequencer:
        for count in (1, 299, 1, 599):
            with engine.begin() as connection:
                for number in range(count):
                    outbox.append(connection, Event("thing.add", "done", f"u-{number}"), observer="test")
            sequencer.step()
    engine.dispose()
    return folder / "log"


def go(program: Path, folder: Path, key: str = str(VKEY)) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, folder, key, "200"], capture_output=True, text=True, check=False)


def test_go_opens_the_log_and_checks_200_proofs_of_each_kind(go_verifier, large_log, sequenced_log) -> None:
    for folder in (large_log, sequenced_log):
        done = go(go_verifier, folder)
        assert done.returncode == 0, done.stderr
        state = LogReader(folder, VKEY).checkpoint
        name, size, root = done.stdout.split()
        assert (name, int(size), base64.b64decode(root)) == (state.origin, state.size, state.root)


@pytest.mark.parametrize(
    "path", ["checkpoint", Tile(0, 1, 256).path, Tile(0, 2, 88).path, Tile(1, 0, 2).path, Tile(ENTRIES, 0, 256).path]
)
def test_go_refuses_a_damaged_log_as_we_do(go_verifier, log, path) -> None:
    data = bytearray((log / path).read_bytes())
    data[len(data) // 2] ^= 1
    (log / path).write_bytes(bytes(data))
    assert go(go_verifier, log).returncode != 0


def test_go_refuses_our_log_under_another_key(go_verifier, log_of_600) -> None:
    assert go(
        go_verifier, log_of_600, "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    ).returncode


WITNESSES = [Cosigner("audit.test/w1", kind, b"w" * 32) for kind in (ED25519, MLDSA44)]


def test_a_cosigned_checkpoint_is_opened_by_go_and_each_cosignature_by_tlog_scales(go_verifier, log) -> None:
    checkpoint = LogReader(log, VKEY).checkpoint
    with (log / "checkpoint").open("a", encoding="utf-8") as note:
        note.writelines(f"{each.cosign(checkpoint, time=1_764_000_000)}\n" for each in WITNESSES)
    assert go(go_verifier, log).returncode == 0
    keys = [Vkey.from_string(str(key)) for key in (VKEY, *(each.vkey for each in WITNESSES))]
    theirs = TilesReader(LocalBackend(log)).get_checkpoint()
    assert {key.sig_type for key, _ in VkeySet(*keys).verify(theirs.signatures, theirs)} == {1, ED25519, MLDSA44}


def inclusion_claim(reader: LogReader, index: int, entry: bytes) -> SimpleNamespace:
    """What sigstore's client checks of an entry of Rekor, filled from our log."""
    proof = SimpleNamespace(
        log_index=index,
        tree_size=reader.size,
        hashes=list(reader.proof(index).hashes),
        root_hash=reader.checkpoint.root,
    )
    return SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=proof, canonicalized_body=entry))


def test_sigstores_verifier_finds_our_entries_in_the_log_and_no_others(large_log, sequenced_log) -> None:
    for folder in (large_log, sequenced_log):
        reader = LogReader(folder, VKEY)
        for index in {0, 1, 255, 256, reader.size - 1, *random.Random(2).sample(range(reader.size), 60)}:
            verify_merkle_inclusion(inclusion_claim(reader, index, reader.entry(index)))
            for wrong in (reader.entry(index) + b"x", reader.entry((index + 1) % reader.size)):
                with pytest.raises(VerificationError):
                    verify_merkle_inclusion(inclusion_claim(reader, index, wrong))


def test_sigstores_client_reads_our_checkpoint_as_we_do(sequenced_log) -> None:
    reader = LogReader(sequenced_log, VKEY)
    theirs = SignedCheckpoint.from_text(reader.note.decode())
    ours = reader.checkpoint
    assert (theirs.checkpoint.origin, theirs.checkpoint.log_size) == (ours.origin, ours.size)
    assert theirs.checkpoint.log_hash == ours.root.hex()
    assert [each.sig_hash for each in theirs.signed_note.signatures] == [VKEY.key_id]


def test_pymerkle_computes_the_root_that_our_sequencer_signed(sequenced_log) -> None:
    reader, tree = LogReader(sequenced_log, VKEY), InmemoryTree(algorithm="sha256")
    for _, entry in reader.entries():
        tree.append_entry(entry)
    assert tree.get_root() == reader.checkpoint.root


def foreign_reader(folder: Path) -> TilesReader:
    reader = TilesReader(LocalBackend(folder))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(str(VKEY)))
    with pytest.raises(InvalidSignature):
        dataclasses.replace(checkpoint, size=checkpoint.size + 1).verify(Vkey.from_string(str(VKEY)))
    return reader


@pytest.mark.parametrize("which", ["large_log", "sequenced_log"])
def test_tlog_scales_reads_the_log_and_agrees_on_root_entries_and_proofs(which, request) -> None:
    folder = request.getfixturevalue(which)
    theirs, ours = foreign_reader(folder), LogReader(folder, VKEY)
    assert theirs.calculate_root_hash() == ours.checkpoint.root
    chance = random.Random(1)
    for _ in range(100):
        index = chance.randrange(ours.size)
        entry = theirs.get_entry(index)
        assert entry == ours.entry(index)
        assert theirs.get_inclusion_proof(index, ours.size).node_hashes == list(ours.proof(index).hashes)
        theirs.get_inclusion_proof(index, ours.size).check(leaf_hash(entry), ours.checkpoint.root)
        assert theirs.get_consistency_proof(index + 1, ours.size).node_hashes == ours.consistency(index + 1)
