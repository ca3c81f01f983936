"""A view of images and signals: the files beside their index, read-only, for whoever was granted them."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pydicom
import pytest
from click.testing import CliRunner

from deid.cli import deid
from deid.folder.snapshot import FolderResult
from deid.snapshot import CHUNK, Sealed, publish, unfinished
from deid.versions.held import entries, stored_name
from deid.versions.keystore import FileKey
from deid.versions.sealed_file import MAGIC, TAG, seal
from deid.versions.tables import encryption, open_table
from enclave.errors import Denied, Unavailable
from enclave.workspace import view_files
from enclave.workspace.views import View, half_view, project_view
from tests.deid.folder.clinic import Clinic
from tests.deid.signal.make_edf import edf
from tests.deid.signal.planted import person
from tests.enclave.notebook.test_client import importable
from tests.enclave.notebook.test_pictures import played

__all__ = ["importable"]
ALL = ["file", "format", "patient", "bytes", "modality", "body_part", "study_date", "rows", "columns"]
SEALED_CHUNK = (1 << 20) + TAG


class Place:
    """A hospital, its newest snapshot, and a folder for views."""

    def __init__(self, root: Path) -> None:
        self.clinic = Clinic(root / "clinic")
        for number in ("A-0001", "B-0002"):
            self.clinic.slice_of(number, f"{number}/one.dcm")
            self.clinic.slice_of(number, f"{number}/two.dcm")
        (self.clinic.source / "heart.edf").write_bytes(edf(person(3)))
        self.made, self.out = self.clinic.run(), root / "views"

    def view(self, *columns: str, of: FolderResult | None = None) -> View:
        folder = (of or self.made).snapshot
        chosen = {"index": list(columns or ALL)}
        return project_view(folder, chosen, self.out, public_key=self.clinic.public_key, store=self.clinic.keys.storage)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def files_of(view: View) -> dict[str, bytes]:
    files = (path for path in view.path.rglob("*") if path.is_file())
    return {str(path.relative_to(view.path)): path.read_bytes() for path in files if path.name != "index.parquet"}


def test_every_file_that_the_index_names_lies_beside_it_and_no_other(place: Place) -> None:
    view = place.view()
    index = pl.read_parquet(view.path / "index.parquet")
    files = files_of(view)
    assert index.columns == ALL
    assert sorted(index["file"]) == sorted(files)
    for row in index.filter(pl.col("format") == "dicom").to_dicts():
        assert len(files[row["file"]]) == row["bytes"]
        assert pydicom.dcmread(io.BytesIO(files[row["file"]])).PatientID == row["patient"]


def test_files_are_read_only_and_folders_can_be_entered(place: Place) -> None:
    view = place.view()
    modes = {path.stat().st_mode & 0o777 for path in view.path.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in (view.path, *view.path.rglob("*")) if path.is_dir()}
    assert (modes, folders) == ({0o444}, {0o755})


def test_without_the_column_that_stands_for_files_there_are_none(place: Place) -> None:
    view = place.view("patient", "modality")
    assert [path.name for path in view.path.iterdir()] == ["index.parquet"]
    assert view.sha256 != place.view().sha256


def test_asking_again_gives_the_same_view_and_a_damaged_one_is_made_anew(place: Place) -> None:
    view = place.view()
    before = files_of(view)
    assert place.view() == view
    path = view.path / next(iter(before))
    path.chmod(0o644)
    path.write_bytes(b"other")
    assert files_of(place.view()) == before
    (view.path / "more.dcm").write_bytes(b"not of the snapshot")
    assert files_of(place.view()) == before
    assert {each.name for each in place.out.iterdir()} == {view.sha256, f"{view.sha256}.json"}


def test_what_does_not_fit_is_refused_with_sizes_and_what_to_do(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(place.clinic.root)
    monkeypatch.setattr(view_files.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(Unavailable) as refused:
        place.view()
    assert refused.value.code == "workspace.view-too-large"
    assert "5개" in refused.value.ko
    assert "GiB" in refused.value.en
    assert "views_bytes" in refused.value.remedy_en
    assert list(place.out.iterdir()) == []
    # The index alone fits.
    assert place.view("patient").path.exists()


def test_half_a_view_has_the_files_of_half_the_rows(place: Place) -> None:
    half = half_view(place.view(), place.out)
    index = pl.read_parquet(half.path / "index.parquet")
    assert index.height == 3
    assert sorted(files_of(half)) == sorted(index["file"])


def test_a_version_of_which_one_file_was_destroyed_gives_no_view_at_all(place: Place) -> None:
    store = place.clinic.keys.storage
    dek = next(iter(entries(place.made.manifest).values())).dek
    assert dek
    store.shred(place.made.manifest.id, [dek], day="2026-11-29")
    for columns in ((), ("patient", "modality")):
        with pytest.raises(Denied) as refused:
            place.view(*columns)
        assert refused.value.code == "workspace.snapshot-shredded"


def test_who_withdrew_is_in_no_view_of_any_version_and_the_others_are_in_the_newest(place: Place) -> None:
    clinic = place.clinic
    first = place.made
    clinic.slice_of("C-0003", "three.dcm")
    second = clinic.run()
    clinic.withdraw("B 2")
    third = clinic.run()
    keys = ["--keys", str(clinic.root / "keys"), "--signing-key", str(clinic.root / "keys/sign.pem")]
    given = ["shred", str(clinic.recipe), "--source", str(clinic.source), "--out", str(clinic.out), *keys]
    assert CliRunner().invoke(deid, given).exit_code == 0
    for old in (first, second):
        with pytest.raises(Denied) as refused:
            place.view(of=old)
        assert refused.value.code == "workspace.snapshot-shredded"
    index = pl.read_parquet(place.view(of=third).path / "index.parquet")
    assert index.filter(pl.col("format") == "dicom")["patient"].n_unique() == 2


def signed_anew(place: Place, change: Callable[[Path], None], index: pl.DataFrame | None = None) -> FolderResult:
    """The snapshot as somebody signs it who has the signing key and the key store, and writes what they like."""
    clinic, manifest = place.clinic, place.made.manifest
    store = clinic.keys.storage
    keys = store.of(manifest)
    with unfinished(clinic.out) as folder:
        shutil.copytree(place.made.snapshot, folder, dirs_exist_ok=True)
        for path in folder.rglob("*"):
            path.chmod(0o755)
        for name in ("manifest.json", "manifest.sig"):
            (folder / name).unlink()
        if index is not None:
            (name,) = manifest.tables["index"].files
            index.write_parquet(folder / name, encryption=encryption(keys.keys[manifest.files[name].dek or ""]))
        change(folder)
        about = {name: replace(entry, sha256="", bytes=0) for name, entry in manifest.files.items() if entry.dek}
        sealed = Sealed(store, about, tuple(FileKey(name, key) for name, key in keys.keys.items()))
        target, signed = publish(folder, clinic.out, manifest, clinic.keys.signing, sealed)
    return FolderResult(target, signed)


def first_two(place: Place) -> tuple[str, str]:
    first, second, *_ = sorted(entries(place.made.manifest))
    return first, second


def test_what_is_signed_anew_without_a_change_gives_the_same_files(place: Place) -> None:
    assert files_of(place.view(of=signed_anew(place, lambda folder: None))) == files_of(place.view())


def test_two_files_exchanged_are_seen_though_they_were_signed_so(place: Place) -> None:
    one, two = first_two(place)

    def change(folder: Path) -> None:
        first, second = (folder / one).read_bytes(), (folder / two).read_bytes()
        (folder / one).write_bytes(second)
        (folder / two).write_bytes(first)

    with pytest.raises(Denied) as refused:
        place.view(of=signed_anew(place, change))
    assert refused.value.code == "workspace.snapshot-damaged"


@pytest.mark.parametrize("damage", ["swapped", "cut off", "repeated"])
def test_chunks_put_together_anew_are_seen_though_they_were_signed_so(place: Place, damage: str) -> None:
    one, _ = first_two(place)
    manifest = place.made.manifest
    key = place.clinic.keys.storage.of(manifest).keys[manifest.files[one].dek or ""]

    def change(folder: Path) -> None:
        (folder / one).unlink()
        seal(io.BytesIO(os.urandom(2 * CHUNK + 5)), folder / one, key)
        body = (folder / one).read_bytes()[len(MAGIC) :]
        parts = [body[at : at + SEALED_CHUNK] for at in range(0, len(body), SEALED_CHUNK)]
        order = {"swapped": (1, 0, 2), "cut off": (0, 1), "repeated": (0, 0, 1, 2)}[damage]
        (folder / one).write_bytes(MAGIC + b"".join(parts[at] for at in order))

    with pytest.raises(Denied) as refused:
        place.view(of=signed_anew(place, change))
    assert refused.value.code == "workspace.snapshot-damaged"
    assert not [path for path in place.out.iterdir() if path.is_dir()], "what was laid out before it is gone"


def test_a_file_of_another_snapshot_in_place_is_seen(place: Place) -> None:
    place.clinic.slice_of("A-0001", "A-0001/one.dcm", "MR_small.dcm")
    other = place.clinic.run()
    (fresh,) = (
        name
        for name, entry in entries(other.manifest).items()
        if name not in place.made.manifest.files or entry.dek != place.made.manifest.files[name].dek
    )
    one, _ = first_two(place)
    path = place.made.snapshot / one
    path.parent.chmod(0o755)
    path.unlink()
    shutil.copy(other.snapshot / fresh, path)
    with pytest.raises(Denied) as refused:
        place.view()
    assert refused.value.code == "workspace.snapshot-damaged"


def test_the_key_store_of_another_version_in_place_opens_nothing(place: Place) -> None:
    place.clinic.slice_of("C-0003", "three.dcm")
    other = place.clinic.run()
    folder = place.clinic.keys.storage.folder
    shutil.copy(folder / f"{other.manifest.id}.keys.json", folder / f"{place.made.manifest.id}.keys.json")
    with pytest.raises(Unavailable) as refused:
        place.view()
    assert refused.value.code == "keys.unreadable"


@pytest.mark.parametrize(
    "name", ["../../escaped.dcm", "/tmp/escaped.dcm", "index.parquet", "a/../../escaped", ".hidden"]
)
def test_a_name_that_leads_out_of_the_view_is_refused_though_it_was_signed(place: Place, name: str) -> None:
    manifest = place.made.manifest
    index = open_table(place.made.snapshot, manifest, place.clinic.keys.storage.of(manifest), "index").collect()
    old = index["file"][0]
    renamed = index.with_columns(pl.col("file").replace(old, name))
    with pytest.raises(Denied) as refused:
        place.view(of=signed_anew(place, lambda folder: None, renamed))
    assert refused.value.code == "workspace.snapshot-damaged"
    assert not list(place.out.parent.glob("**/escaped*"))


def test_an_index_that_names_a_file_twice_or_leaves_one_out_is_refused(place: Place) -> None:
    manifest = place.made.manifest
    index = open_table(place.made.snapshot, manifest, place.clinic.keys.storage.of(manifest), "index").collect()
    for other in (index.with_columns(pl.col("file").replace(index["file"][0], index["file"][1])), index[1:]):
        with pytest.raises(Denied) as refused:
            place.view(of=signed_anew(place, lambda folder: None, other))
        assert refused.value.code == "workspace.snapshot-damaged"
    assert stored_name(index["file"][0]) in manifest.files


@pytest.fixture
def ansim(importable: None) -> Iterator[ModuleType]:
    import ansim

    yield ansim
    for name in [each for each in sys.modules if each.split(".")[0] == "ansim"]:
        del sys.modules[name]


@pytest.fixture
def data(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The view where a workspace has it: `/data/images`."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/images").symlink_to(place.view().path)
    monkeypatch.setenv("ANSIM_DATA", str(tmp_path / "data"))
    return tmp_path / "data/images"


def test_the_client_finds_table_and_pictures_of_a_view(data: Path, ansim: Any) -> None:
    assert [table.name for table in ansim.data().tables] == ["images/index"]
    assert ansim.data()["images/index"].columns == tuple(ALL)
    assert len(ansim.pictures("images")) == len(ansim.pictures(data, modality="CT")) == 4
    pixels, row = ansim.pictures("images", modality="CT")[0]
    assert pixels.shape == (128, 128)
    assert len(row["patient"]) == 32


def test_what_was_not_approved_is_told_by_its_name(place: Place, data: Path, ansim: Any) -> None:
    with pytest.raises(Exception, match="file") as told:
        ansim.pictures(place.view("patient", "modality").path)
    assert told.value.code == "client.no-column"
    few = ansim.pictures(place.view("file", "modality", "format", "rows").path, modality="CT")
    assert len(few) == 4
    with pytest.raises(Exception, match="patient"):
        few.by_patient(0.5)


def test_the_notebook_runs_on_a_view_as_it_is(
    data: Path, ansim: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANSIM_IMAGES", str(data))
    played()
    assert re.match(r"4 \(1, 64, 64\) \d{8}\n(.*torch.*\n)?2 2 \[\(2, 1, 64, 64\)\]\n.*MONAI", capsys.readouterr().out)
