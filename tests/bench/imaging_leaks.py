"""What is left of a planted set, and what is lost of it: ours beside the tools that a hospital would take instead.

The set is made by the tests' own generator, and judged by its checker: every planted value in every byte, in many
encodings; burned-in letters by their ink. The peers run as their makers show it, in their own environment
(`locks/imaging-peers.txt`); gdcmanon is Debian's (libgdcm-tools). Their files are named for them: none of them does.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deid.folder.people import People
from deid.folder.recipe import load
from deid.folder.registry import SECTIONS
from deid.keys import WorkerKeys
from scripts.setting_up import venvs
from tests.deid.imaging.checker import by_place, survivors
from tests.deid.imaging.planted import Planted, make

ROOT = Path(__file__).parents[2]
SEED = 20261130
PEERS = ("deid", "dicognito", "dicom-anonymizer")
MOST_TOLD = 5  # classes of places that are named, those with most left
Where = dict[str, Path]


def leaks(folder: Path) -> dict[str, dict[str, Any]]:
    """Give ours and every peer the same planted set; tell what each leaves and loses."""
    (folder / "planted").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the set is wrong on purpose, and pydicom says so
        planted = make(folder / "planted", SEED)
        rows = {name: _row(planted, out, where) for name, out, where in _treated(folder, planted)}
    ours = rows.pop("ours")
    ours |= {"floor": "0, none lost", "ok": ours["value"] == 0 and ours["ratio"] == 0}
    return {"deid.imaging_leaks": ours, **{f"deid.imaging_leaks_{name}": row for name, row in rows.items()}}


def _row(planted: Planted, out: Path, where: Where) -> dict[str, Any]:
    left = survivors(planted.plants, out, where)
    lost = len(planted.kept) - len(where)
    most = ", ".join(f"{place} {count}" for place, count in by_place(left).most_common(MOST_TOLD))
    told = f"of {len(planted.plants)}; {lost} of {len(planted.kept)} objects lost (ratio); {most or 'none left'}"
    share = lost / len(planted.kept)
    return {"value": len(left), "unit": "left", "peer": told, "ratio": share, "floor": "told", "ok": True}


def _treated(folder: Path, planted: Planted) -> Iterator[tuple[str, Path, Where]]:
    """Yield who, into which folder, and where each object lies that must be there (by its UID)."""
    yield "ours", folder / "ours", _ours(folder, planted)
    files = sorted(path for path in planted.folder.rglob("*") if path.is_file())
    python = venvs.peer(ROOT / "build/imaging-peers", "imaging-peers")
    for peer in PEERS:
        out = folder / peer
        command = [python, ROOT / "tests/bench/imaging_peer.py", peer, planted.folder, out]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        yield peer, out, _numbered(planted, files, out)
    _gdcmanon(files, folder / "gdcmanon")
    yield "gdcmanon", folder / "gdcmanon", _numbered(planted, files, folder / "gdcmanon")


def _ours(folder: Path, planted: Planted) -> Where:
    command = [sys.executable, "-m", "tests.bench.imaging_process", planted.folder, folder / "ours", "1"]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    recipe = load(ROOT / "recipes/imaging-default.yaml", SECTIONS)
    people = People(WorkerKeys(bytes(range(32))), recipe.dataset, recipe.domain, recipe.max_days)
    named = {path.stem: path for path in (folder / "ours").rglob("*.dcm")}
    return {sop: named[people.uid(sop)] for sop in planted.kept if people.uid(sop) in named}


def _numbered(planted: Planted, files: Sequence[Path], out: Path) -> Where:
    numbers = {path: number for number, path in enumerate(files)}
    named = {sop: out / f"{numbers[path]:05d}.dcm" for sop, path in planted.kept.items()}
    return {sop: path for sop, path in named.items() if path.exists()}


def _gdcmanon(files: Sequence[Path], out: Path) -> None:
    """Run the tool file by file; it encrypts the originals into each to a certificate, which must be there."""
    out.mkdir()
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bench",
            "-keyout", out / "key.pem", "-out", out / "cert.pem"]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    for number, path in enumerate(files):
        target = out / f"{number:05d}.dcm"
        command = ["gdcmanon", "-e", "-c", out / "cert.pem", "-i", path, "-o", target]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            target.unlink(missing_ok=True)
    for name in ("key.pem", "cert.pem"):
        (out / name).unlink()
