"""Run in the peers' own environment: `python imaging_peer.py PEER IN OUT` de-identifies a folder as its makers show it.

Prints JSON: files that could not be done, with why, and CPU seconds. File names are given here: none of the peers does.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pydicom

Each = Callable[[Path, Path], None]


def main(peer: str, source: Path, out: Path) -> None:
    warnings.simplefilter("ignore")
    out.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in source.rglob("*") if path.is_file())
    each = PEERS[peer]()
    failed, cpu = {}, time.process_time()
    for number, path in enumerate(files):
        target = out / f"{number:05d}.dcm"
        try:
            each(path, target)
        except Exception as error:  # noqa: BLE001 - whatever a peer does with a file is what is measured
            failed[str(path.relative_to(source))] = f"{type(error).__name__}: {error}"[:200]
            target.unlink(missing_ok=True)
    print(json.dumps({"failed": failed, "cpu": time.process_time() - cpu, "files": len(files)}))


def dicognito() -> Each:
    from dicognito.anonymizer import Anonymizer

    anonymizer = Anonymizer(seed="bench")

    def each(path: Path, target: Path) -> None:
        data = pydicom.dcmread(path, force=True)
        anonymizer.anonymize(data)
        data.save_as(target)

    return each


def dicom_anonymizer() -> Each:
    from dicomanonymizer import anonymize_dicom_file

    return lambda path, target: anonymize_dicom_file(str(path), str(target))


def deid() -> Each:
    from deid.config import DeidRecipe
    from deid.dicom import replace_identifiers

    recipe = DeidRecipe()

    def each(path: Path, target: Path) -> None:
        (data,) = replace_identifiers(dicom_files=[str(path)], deid=recipe, save=False, remove_private=True)
        data.save_as(target)

    return each


PEERS = {"dicognito": dicognito, "dicom-anonymizer": dicom_anonymizer, "deid": deid}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
