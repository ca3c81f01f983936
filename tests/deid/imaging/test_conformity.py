"""What we write is judged by dciodvfy (dicom3tools): no object has an error that its original did not have."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from deid.folder.people import People
from deid.folder.tally import Tally

JUDGE = "/usr/bin/dciodvfy"
NAMES = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_implicit.dcm", "JPEG2000.dcm", "rtdose.dcm", "rtplan.dcm", "reportsi.dcm",
    "waveform_ecg.dcm", "examples_overlay.dcm", "693_J2KR.dcm", "test-SR.dcm", "SC_rgb.dcm", "liver_1frame.dcm",
    "eCT_Supplemental.dcm", "nested_priv_SQ.dcm", "ExplVR_LitEndNoMeta.dcm", "color3d_jpeg_baseline.dcm",
)  # fmt: skip
# Its references are to class "0": no class at all, an error before and another one after it is gone.
EXPECTED = {
    "reportsi.dcm": {
        "Error - Missing attribute Type 1 Required Element=<ReferencedSOPClassUID> Module=<SOPInstanceReferenceMacro>"
    }
}
UID = re.compile(r"\b\d+(\.\d+)+\b|(?<=InstanceUID )\d+")


def errors(path: Path) -> Counter[str]:
    """Give the judge's errors, without the UIDs that stand in them."""
    done = subprocess.run([JUDGE, str(path)], capture_output=True, text=True, errors="replace", check=False)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
    return Counter(UID.sub("a UID", line) for line in lines)


@pytest.fixture(scope="module")
def pairs(
    tmp_path_factory: pytest.TempPathFactory, deidentified: Callable[[Path, Path], Tally], people: People
) -> dict[str, tuple[Path, Path]]:
    """Originals and what became of them, by name."""
    base = tmp_path_factory.mktemp("judged")
    (base / "in").mkdir()
    for name in NAMES:
        found = get_testdata_file(name, download=False)
        if isinstance(found, str):
            shutil.copy(found, base / "in" / name)
    deidentified(base / "in", base / "out")
    written = {path.stem: path for path in (base / "out").rglob("*.dcm")}
    found_pairs = {}
    for path in (base / "in").iterdir():
        instance = pydicom.dcmread(path, stop_before_pixels=True, force=True).get("SOPInstanceUID", "")
        if people.uid(instance) in written:
            found_pairs[path.name] = path, written[people.uid(instance)]
    return found_pairs


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_object_has_an_error_that_it_did_not_have(pairs: dict[str, tuple[Path, Path]]) -> None:
    assert len(pairs) >= 10
    new = {name: errors(after) - errors(before) for name, (before, after) in pairs.items()}
    assert {name: set(found) for name, found in new.items() if found} == EXPECTED


def test_the_judge_judges(pairs: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    data = pydicom.dcmread(pairs["CT_small.dcm"][1])
    del data.Rows
    data.Modality = "XX"
    data.save_as(tmp_path / "bad.dcm")
    assert errors(tmp_path / "bad.dcm") - errors(pairs["CT_small.dcm"][1])
