"""Real files of many devices, from packages: each is written or refused with a reason; none fails, none leaks.

What pip and Debian have installed is taken. `ANSIM_SAMPLES` names further folders, `:` between them: packages that are
unpacked and not installed (deid-data, dicognito and their like as source, nibabel, heudiconv).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from deid.folder.format import HEAD_BYTES
from deid.folder.one import FAILED, LEFT
from deid.folder.tally import Tally
from deid.imaging.read import is_dicom

PACKAGES, IF_THERE = ("pydicom", "data_store", "pynetdicom"), ("nibabel", "heudiconv")
DEBIAN = ("/usr/lib/python3/dist-packages/pydicom", "/usr/share/doc/orthanc")
LARGEST = 300_000  # bytes; twenty larger ones are of the same devices, and cost as much as all the others


def folders() -> list[Path]:
    """Give the folders of the packages that are there."""
    found = []
    for package in (*PACKAGES, *IF_THERE):
        spec = importlib.util.find_spec(package)
        assert spec is not None or package in IF_THERE
        if spec is not None and spec.origin is not None:
            found.append(Path(spec.origin).parent)
    return [*found, *filter(Path.is_dir, map(Path, DEBIAN)), *map(Path, os.environ.get("ANSIM_SAMPLES", "").split(":"))]


def real_files() -> dict[str, Path]:
    """Find the distinct DICOM files of the packages, by digest."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted(folder.rglob("*")) if folder != Path() else ():
            if path.is_file() and path.suffix != ".py" and path.stat().st_size < LARGEST:
                data = path.read_bytes()
                if is_dicom(data[:HEAD_BYTES]):
                    found.setdefault(hashlib.sha256(data).hexdigest(), path)
    return found


@pytest.mark.slow
def test_real_files_are_written_or_refused_with_a_reason(
    tmp_path: Path, deidentified: Callable[[Path, Path], Tally]
) -> None:
    files = real_files()
    (tmp_path / "in").mkdir()
    for number, path in enumerate(files.values()):
        (tmp_path / "in" / f"{number:03d}-{path.name}").write_bytes(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tally = deidentified(tmp_path / "in", tmp_path / "out")
    assert len(files) > 200
    assert [(each.name, each.code, each.en, each.left) for each in tally.refused if each.kind in {FAILED, LEFT}] == []
    # One directory stands in the place of those that could be read.
    assert [each.source for each in tally.written if each.format == "dicomdir"] == ["DICOMDIR"]
    objects = len(tally.written) - 1
    assert objects + tally.notes["directories"] + tally.duplicates + len(tally.refused) == len(files)
    assert objects + tally.duplicates > 0.85 * len(files)
    assert all(each.code and each.ko and each.en for each in tally.refused)
