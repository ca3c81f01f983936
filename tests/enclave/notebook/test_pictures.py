"""Pictures in a workspace: chosen by the index, read as arrays; the notebook that shows it runs as it is."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib as mpl
import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.data import get_testdata_file

from deid.folder import index
from deid.folder.one import Work
from deid.folder.people import People
from deid.folder.recipe import load
from deid.folder.registry import SECTIONS
from deid.folder.run import STAGING, run
from deid.keys import WorkerKeys
from tests.deid.signal.make_edf import edf
from tests.deid.signal.planted import person
from tests.enclave.notebook.test_client import importable

__all__ = ["importable"]
REPO = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run wrote of two slices, a picture of two frames in colour, and a signal."""
    base = tmp_path_factory.mktemp("pictures")
    (base / "in").mkdir()
    (base / "out").mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm", "SC_rgb_2frame.dcm"):
        path = get_testdata_file(name)
        assert isinstance(path, str)
        shutil.copy(path, base / "in")
    (base / "in/a.edf").write_bytes(edf(person(3)))
    recipe = load(REPO / "recipes/imaging-default.yaml", SECTIONS)
    people = People(WorkerKeys(bytes(range(32))), recipe.dataset, recipe.domain, recipe.max_days)
    index.write(base / "out", run(Work(people, recipe, base / "in", base / "out" / STAGING), base / "out"))
    return base / "out"


@pytest.fixture
def ansim(importable: None, tmp_path: Path) -> Iterator[ModuleType]:
    import ansim

    yield ansim
    for name in [each for each in sys.modules if each.split(".")[0] == "ansim"]:
        del sys.modules[name]


def test_pictures_are_chosen_by_the_index_and_read_in_their_units(folder: Path, ansim: Any) -> None:
    assert len(ansim.pictures(folder)) == 3
    (found,) = ansim.pictures(folder, modality="CT", rows=128)
    pixels, row = found
    written = pydicom.dcmread(folder / row["file"])
    expected = written.pixel_array * float(written.RescaleSlope) + float(written.RescaleIntercept)
    assert pixels.dtype == np.float32
    assert (pixels == expected).all()
    assert row["patient"] == written.PatientID
    (colour,) = ansim.pictures(folder, frames=2)
    assert colour[0].shape == (2, 100, 100, 3)
    assert len(ansim.pictures(folder, modality="XA")) == 0


def test_what_a_query_chose_is_opened_by_its_files(folder: Path, ansim: Any) -> None:
    index = pl.read_parquet(folder / "index.parquet")
    chosen = pl.SQLContext(images=index, eager=True).execute("SELECT file FROM images WHERE rows < 128")
    assert 0 < len(chosen) < 3
    found = ansim.pictures(folder, file=chosen["file"])
    assert sorted(row["file"] for _, row in found) == sorted(chosen["file"])
    assert len(ansim.pictures(folder, modality={"CT", "MR"}, rows=64)) == 1


def test_no_patient_is_on_both_sides_of_a_split(folder: Path, ansim: Any) -> None:
    sides = ansim.pictures(folder).by_patient(0.5)
    first, second = ({row["patient"] for row in side.rows} for side in sides)
    assert first
    assert second
    assert first.isdisjoint(second)


@pytest.mark.parametrize(
    ("where", "wanted", "code"), [("..", {}, "client.no-index"), (".", {"ward": "A"}, "client.no-column")]
)
def test_what_is_not_there_is_told(folder: Path, ansim: Any, where: str, wanted: dict[str, str], code: str) -> None:
    from ansim.failure import AnsimError

    with pytest.raises(AnsimError) as told:
        ansim.pictures(folder / where, **wanted)
    assert told.value.code == code


def test_the_notebook_runs_as_it_is(
    folder: Path, ansim: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANSIM_IMAGES", str(folder))
    names = played()
    assert capsys.readouterr().out.startswith("1 (1, 64, 64) ")
    assert [axis.get_title()[:2] for axis in names["figure"].axes] == ["CT", "MR", "OT"]
    assert ansim


def played() -> dict[str, Any]:
    """Run the notebook's cells but those that ask the portal; returns what they defined."""
    mpl.use("agg")
    names: dict[str, Any] = {}
    for cell in json.loads((REPO / "demo/notebooks/images.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code" and "enclave" not in cell["metadata"].get("tags", ()):
            exec("".join(cell["source"]), names)
    return names
