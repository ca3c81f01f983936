"""A hospital's run over images with a gate `frame_sample`, and signed snapshots that ask for a review of its frames."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BufferedReader
from itertools import count
from pathlib import Path

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydicom.data import get_testdata_file

from deid.folder.frame_gate import opened_frames, write_frames
from deid.folder.one import Work
from deid.folder.people import People
from deid.folder.recipe import load
from deid.folder.registry import SECTIONS
from deid.folder.run import STAGING, run
from deid.frame_cases import FILE, FrameCase, frames_in
from deid.keys import WorkerKeys
from deid.sample_gate import WantedSample
from deid.snapshot import publish, unfinished
from enclave.commands.frame_drawing import SealedFrames
from enclave.console.frames_given import beneath
from enclave.frames import door
from enclave.vault import Vault
from tests.enclave.scene import _manifest

SIGNER = Ed25519PrivateKey.generate()
VERSIONS = count()
RECIPE = Path(__file__).parents[2] / "recipes/imaging-default.yaml"
# An ultrasound with letters, slices without, ten frames of one object.
FILES = {
    "us.dcm": "examples_rgb_color.dcm",
    "ct.dcm": "CT_small.dcm",
    "mr.dcm": "emri_small.dcm",
    "m.dcm": "MR_small.dcm",
}
POOL = door.pool()  # one server for all tests of a process; it ends with it


@dataclass(frozen=True)
class Filmed:
    """Where a run's source, output and private file lie, and what its lineage says."""

    source: Path
    out: Path
    private: Path
    lineage: dict[str, object]

    def cases(self) -> list[FrameCase]:
        with (self.private / FILE).open("rb") as lines:
            return list(frames_in(lines))

    def copied(self, place: Path) -> Filmed:
        """The same in another place, to be tampered with."""
        for name in ("source", "out", "private"):
            shutil.copytree(getattr(self, name), place / name)
        return replace(self, source=place / "source", out=place / "out", private=place / "private")

    def sealed(self, vault: Vault, seed: str = "00ff") -> SealedFrames:
        def cases() -> BufferedReader | None:
            path = self.private / FILE
            return path.open("rb") if path.is_file() else None

        def written(name: str) -> Iterator[bytes]:
            with beneath(self.out, name) as file:
                yield file.read()

        return SealedFrames(cases, lambda name: beneath(self.source, name), written, vault, seed, POOL)


def filmed(place: Path, *, size: int = 6, min_recall: float = 0.4) -> Filmed:
    """Run the strict recipe over a few images."""
    source, out, private = place / "source", place / "out", place / "private"
    for folder in (source, out):
        folder.mkdir(parents=True)
    for called, name in FILES.items():
        shutil.copy(str(get_testdata_file(name)), source / called)
    recipe = replace(load(RECIPE, SECTIONS), frame_sample=WantedSample(size, min_recall, 0.95))
    people = People(WorkerKeys(bytes(32)), recipe.dataset, recipe.domain, recipe.max_days)
    work = Work(people, recipe, source, out / STAGING)
    tally = run(work, out)
    with opened_frames(recipe.frame_sample, private) as writer:
        lineage = write_frames(work, tally, writer)
        assert writer is not None
        writer.keep()
    return Filmed(source, out, private, lineage)


def signed(root: Path, film: Filmed, *, provider: str = "hospital-a", dataset: str = "set-a", key=SIGNER) -> Path:
    """A signed snapshot, each time another, that asks for the review of these frames."""
    frame = pl.DataFrame({"pid": ["a", "b"], "amount": [next(VERSIONS), 7]})
    with unfinished(root) as folder:
        (folder / "data/visits").mkdir(parents=True)
        frame.write_parquet(folder / "data/visits/part-0.parquet")
        manifest = replace(_manifest(dataset, provider, {"visits": frame}, ""), lineage=film.lineage)
        return publish(folder, root, manifest, key)[0]
