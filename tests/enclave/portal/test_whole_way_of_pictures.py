"""Pictures go the whole way of tables: built, received, offered, applied for, laid out for a workspace, withdrawn.

As `test_whole_withdrawal.py`, for a folder of DICOM files; nothing stands in for anything but the gate.
"""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pydicom
import pytest
from click.testing import CliRunner

from enclave import clock, keys, pledge
from enclave.actor import Actor
from enclave.cli import ansim
from enclave.commands import dataset, project, workspace
from enclave.commands.workspace import Means
from enclave.errors import Denied
from enclave.portal import recalling, sweeping, views_kept
from enclave.snapshot_keys import store_of
from tests.deid.folder.clinic import Clinic
from tests.enclave.portal.test_publication_pages import template_key
from tests.enclave.portal.world import ROOT, World, application
from tests.enclave.publishing import offered

COLUMNS = ("file", "patient", "modality", "rows")


class Chain:
    """The hospital's folder of pictures, and the enclave in which its snapshots are offered."""

    def __init__(self, world: World, root: Path) -> None:
        self.world, self.clinic = world, Clinic(root / "hospital")
        text = self.clinic.recipe.read_text().replace("dataset: imaging", "dataset: images")
        self.clinic.recipe.write_text(text.replace("provider: testhospital", "provider: bitgoeul"))
        for number in ("A-0001", "B-0002"):
            self.clinic.slice_of(number, f"{number}/one.dcm")
            self.clinic.slice_of(number, f"{number}/two.dcm")
        (self.clinic.source / "letter.hwp").write_bytes(b"HWP Document File")
        dataset.register_dataset(
            world.store, Actor.console(), dataset_id="images", organisation_id="bitgoeul", title_ko="흉부 영상",
            title_en="Chest images", description="CT", now=clock.now(),
        )  # fmt: skip

    def deid(self, command: str, *more: str) -> Path:
        """Run a command of the hospital; returns the new version's folder."""
        settings, clinic = self.world.settings, self.clinic
        given = [
            "--source", clinic.source, "--out", settings.snapshots, "--keys", clinic.root / "keys",
            "--signing-key", template_key(self.world), "--snapshot-keys", settings.snapshot_keys,
            "--seal-key", settings.snapshot_seal,
        ]  # fmt: skip
        result = CliRunner().invoke(ansim, ["deid", command, str(clinic.recipe), *map(str, given), *more])
        assert result.exit_code == 0, result.output
        return Path(result.output.strip().splitlines()[-1])

    def received(self, folder: Path) -> str:
        """Put a version on record as `ansim snapshot receive` does, with the key store at hand."""
        public = keys.load_public_key(self.world.settings.snapshot_public_key)
        given = {"folder": folder, "public_key": public, "key_store": store_of(self.world.settings)}
        return dataset.receive_snapshot(self.world.store, Actor.console(), **given, now=clock.now()).id

    def offered(self, folder: Path) -> str:
        public = keys.load_public_key(self.world.settings.snapshot_public_key)
        reviewers, now = ("dahye", "woojin", "yerin"), clock.now()
        return offered(self.world.store, folder, public, steward="suyeon", reviewers=reviewers, now=now)

    def project(self, *columns: str) -> str:
        """A project that asked for all of `COLUMNS` and was granted these."""
        world, now = self.world, clock.now()
        asked = application(data={"images": {"index": COLUMNS}})
        made = project.apply(world.store, world.actor("jiwoo"), application=asked, now=now)
        grant = {"dataset_id": "images", "approve": {"index": columns}, "reason": "맞음"}
        project.decide_columns(world.store, world.actor("suyeon"), project_id=made.id, **grant, now=now)  # type: ignore[arg-type]
        text = pledge.CURRENT
        signed = {"version": text.version, "text_sha256": text.sha256}
        for login in ("jiwoo", "mina"):
            project.sign_pledge(world.store, world.actor(login), project_id=made.id, **signed, now=now)
        project.activate(world.store, world.actor("jiwoo"), project_id=made.id, now=now)
        return made.id

    def start(self, project_id: str) -> str:
        world = self.world
        means = Means.load(replace(world.settings, image="sha256:" + "0" * 64))
        made = workspace.request_start(world.store, means, world.actor("mina"), project_id=project_id, now=clock.now())
        started = {"workspace_id": made.workspace.id, "container_id": "c"}
        workspace.mark_started(world.store, Actor.system(), **started, now=clock.now())
        return made.workspace.id

    def views(self) -> dict[str, bytes]:
        """Every file that lies laid out for workspaces, by its name in the view."""
        root = self.world.settings.views
        found = [path for path in root.rglob("*") if path.is_file() and path.parent != root]
        return {"/".join(path.relative_to(root).parts[1:]): path.read_bytes() for path in found}


@pytest.fixture
def chain(world: World, tmp_path: Path) -> Chain:
    return Chain(world, tmp_path)


def test_pictures_are_offered_and_laid_out_for_who_was_granted_them(chain: Chain) -> None:
    world = chain.world
    version = chain.received(chain.deid("run"))
    page = world.browser("suyeon").get(f"{ROOT}/snapshots/{version}").text
    wanted = (
        "영상·신호 파일",
        "파일 자체와 그 이름",
        "CT",
        "folder.unknown",
        "k를 계산하지 않습니다",
        "서명 전 마지막 검사",
    )
    assert [each for each in wanted if each not in page] == []
    assert world.browser("suyeon").get(f"{ROOT}/snapshots/{version}/figures").status_code == 200
    assert chain.offered(world.settings.snapshots / version) == version
    catalogue = world.browser("jiwoo").get(f"{ROOT}/datasets").text
    assert "파일 4개" in catalogue
    told = world.browser("suyeon").api("GET", f"/snapshots/{version}").json()
    assert (told["files"]["files"], told["files"]["patients"], told["files"]["modalities"]) == (4, 2, {"CT": 4})

    chain.start(chain.project(*COLUMNS))
    laid = chain.views()
    index = pl.read_parquet(io.BytesIO(laid.pop("index.parquet")))
    assert index.columns == list(COLUMNS)
    assert sorted(index["file"]) == sorted(laid)
    for row in index.to_dicts():
        assert pydicom.dcmread(io.BytesIO(laid[row["file"]])).PatientID == row["patient"]


def test_a_project_that_was_granted_no_files_has_none(chain: Chain) -> None:
    chain.offered(chain.deid("run"))
    chain.start(chain.project("patient", "modality"))
    assert list(chain.views()) == ["index.parquet"]


def test_somebody_withdraws_and_the_enclave_ends_what_holds_their_pictures(chain: Chain) -> None:
    world = chain.world
    version = chain.offered(chain.deid("run"))
    held_by = chain.project(*COLUMNS)
    space = chain.start(held_by)
    (chain.clinic.root / "ids.txt").write_text("A 1\n")
    second = chain.deid("withdraw", "--subjects", str(chain.clinic.root / "ids.txt"))
    assert recalling.take(world.portal) == [version]
    assert sweeping.sweep(world.portal) == [space]
    for path in world.settings.views.rglob("*"):
        os.utime(path, (0, 0))  # as long after as a plan may still start
    assert views_kept.forget(world.portal)
    assert chain.views() == {}
    with pytest.raises(Denied) as refused:
        chain.start(held_by)
    assert refused.value.code == "workspace.snapshot-withdrawn"
    chain.offered(second)
    chain.start(chain.project(*COLUMNS))
    index = pl.read_parquet(io.BytesIO(chain.views()["index.parquet"]))
    assert (index.height, index["patient"].n_unique()) == (2, 1)


def test_what_does_not_decrypt_is_not_received_and_the_refusal_says_so(chain: Chain) -> None:
    first = chain.deid("run")
    chain.clinic.slice_of("C-0003", "more.dcm")
    second = chain.deid("run")
    folder = chain.world.settings.snapshot_keys
    shutil.copy(folder / f"{second.name}.keys.json", folder / f"{first.name}.keys.json")
    with pytest.raises(Exception, match=r"키") as refused:
        chain.received(first)
    assert refused.value.code == "keys.unreadable"
    path = next(path for path in (second / "held").rglob("*") if path.is_file())
    path.unlink()
    path.write_bytes(b"other")
    with pytest.raises(Denied) as unknown:
        chain.received(second)
    assert unknown.value.code == "snapshot.damaged"
