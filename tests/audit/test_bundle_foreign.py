"""Evidence bundles and verifiers that others wrote: Go's checksum database and tlog-scales refuse what we refuse."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint, InclusionProof, InclusionProofInvalid

from audit.errors import NoteError
from audit.merkle import leaf_hash
from audit.proof import Proof
from tests.audit.go_build import build
from tests.audit.logs import CHOSEN, VKEY
from tests.audit.tampering import FOREIGN, FOREIGN_WITH_TILES, TAMPERINGS, TAMPERINGS_WITH_TILES

# `RuntimeError`: no signature of the trusted key.
REFUSALS = (InclusionProofInvalid, InvalidSignature, NoteError, OSError, RuntimeError, ValueError)


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    return build("bundle", tmp_path_factory.mktemp("go"))


def go(program: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, folder, str(VKEY)], capture_output=True, text=True, check=False)


def test_go_accepts_every_entry_of_a_bundle_with_proofs_and_of_one_with_tiles(program, sound, sound_with_tiles) -> None:
    for folder in (sound, sound_with_tiles):
        done = go(program, folder)
        assert (done.returncode, done.stdout) == (0, f"{len(CHOSEN)}\n"), done.stderr


def tampered(folder: Path, tamper, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(folder, tmp_path / "bundle"))
    tamper(copy)
    return copy


@pytest.mark.parametrize("name", FOREIGN)
def test_go_refuses_a_tampered_bundle_as_we_do(program, sound, tmp_path, name) -> None:
    assert go(program, tampered(sound, TAMPERINGS[name][0], tmp_path)).returncode


@pytest.mark.parametrize("name", FOREIGN_WITH_TILES)
def test_go_refuses_tampered_tiles_as_we_do(program, sound_with_tiles, tmp_path, name) -> None:
    assert go(program, tampered(sound_with_tiles, TAMPERINGS_WITH_TILES[name][0], tmp_path)).returncode


def scales(folder: Path) -> int:
    """Check a bundle's proofs with tlog-scales; return how many entries hold. Raises one of `REFUSALS`."""
    checkpoint = Checkpoint.from_text((folder / "checkpoint").read_text())
    checkpoint.verify(Vkey.from_string(str(VKEY)))
    ranges = json.loads((folder / "manifest.json").read_text())["ranges"]
    indexes = [index for first, last in ranges for index in range(first, last + 1)]
    lines = (folder / "entries.jsonl").read_bytes().splitlines()
    for index, line in zip(indexes, lines, strict=True):
        proof = Proof.parse((folder / f"proofs/{index}.tlog-proof").read_text())
        InclusionProof(index, checkpoint.size, list(proof.hashes)).check(leaf_hash(line), checkpoint.root_hash)
    return len(lines)


def test_tlog_scales_accepts_every_entry_of_a_bundle(sound) -> None:
    assert scales(sound) == len(CHOSEN)


@pytest.mark.parametrize("name", FOREIGN)
def test_tlog_scales_refuses_a_tampered_bundle_as_we_do(sound, tmp_path, name) -> None:
    with pytest.raises(REFUSALS):
        scales(tampered(sound, TAMPERINGS[name][0], tmp_path))
