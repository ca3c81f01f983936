"""A hospital with a folder of images and signals, its recipe, keys, and a place for snapshots."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydicom
from pydicom.data import get_testdata_file

from deid import keys
from deid.folder.run_command import load_signed
from deid.folder.snapshot import FolderResult, run_folder
from deid.versions.before import load, newest
from deid.versions.options import key_store

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RECIPE = Path(__file__).parents[3] / "recipes/imaging-default.yaml"
SIGNED = """\
provider: testhospital
legal_basis: 시험
withdrawals: withdrawn.csv
"""
FEED = "subject,withdrawn_on\n"


class Clinic:
    """One folder with everything; what it writes are real DICOM files of pydicom's with other patients in them."""

    def __init__(self, root: Path) -> None:
        self.root, self.source, self.out = root, root / "source", root / "snapshots"
        self.source.mkdir(parents=True)
        keys.create_master(root / "keys")
        keys.create_signing(root / "keys/sign.pem")
        self.recipe = root / "recipe.yaml"
        self.recipe.write_text(RECIPE.read_text() + SIGNED)
        self.withdraw()

    @property
    def keys(self) -> keys.Keys:
        loaded = keys.load(self.root / "keys", self.root / "keys/sign.pem")
        return replace(loaded, store=key_store(self.root / "keys"))

    @property
    def public_key(self) -> keys.Ed25519PublicKey:
        return keys.load_public(self.root / "keys/sign.pem.pub")

    def withdraw(self, *numbers: str) -> None:
        """Write the list of who withdrew."""
        (self.source / "withdrawn.csv").write_text(FEED + "".join(f"{number},2026-11-01\n" for number in numbers))

    def slice_of(self, number: str, name: str, file: str = "CT_small.dcm") -> Path:
        """Write one picture of a patient."""
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        found = get_testdata_file(file)
        assert isinstance(found, str)
        shutil.copy(found, path)
        data = pydicom.dcmread(path)
        data.PatientID, data.PatientName = number, f"홍길동{number}"
        data.SpecificCharacterSet = "ISO_IR 192"
        data.SOPInstanceUID = pydicom.uid.generate_uid(entropy_srcs=[number, name])
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.save_as(path)
        return path

    def run(self, **more: Any) -> FolderResult:
        """Make the next version."""
        before = newest(self.out, "imaging", "", self.public_key) if self.out.exists() else None
        parent = load(before, self.public_key, self.keys.store) if before else None
        return run_folder(
            load_signed(self.recipe), self.source, self.out, self.keys, now=NOW, jobs=1, before=parent, **more
        )

    def left_behind(self) -> list[str]:
        """Everything in the place for snapshots, hidden or not."""
        return sorted(path.name for path in self.out.iterdir()) if self.out.exists() else []
