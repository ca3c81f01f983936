"""Somebody withdraws: one command of the hospital, and the enclave ends what holds them, end to end in one process.

`ansim deid run` builds, people review and offer, a workspace is started on it; `ansim deid withdraw` takes a person
out. From there nobody does anything: the portal's chores end the version, its page names who held it, the view that
was decrypted for the workspace goes, and no later version has the person. Nothing stands in for anything but the gate,
which is not there: the workspace is ended in the database, as it is when the gate is away.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from deid import keys as deid_keys
from deid.errors import SnapshotShredded
from deid.snapshot import read_manifest
from deid.versions.keystore import keys_of, open_store
from deid.versions.tables import open_table
from enclave import clock, keys, pledge
from enclave.actor import Actor
from enclave.cli import ansim
from enclave.commands import project, workspace
from enclave.commands.workspace import Means
from enclave.errors import Denied
from enclave.portal import recalling, sweeping, views_kept
from enclave.queries import dataset as queries
from enclave.states import SnapshotState
from tests.enclave.portal.test_publication_pages import template_key
from tests.enclave.portal.world import ROOT, World, application
from tests.enclave.publishing import offered

WHO, CANARY = "bg-0107", "Q87CANARY"
RECIPE = """\
recipe: 1
dataset: visits
version: 3
title: {ko: 외래 방문, en: Visits}
provider: bitgoeul
legal_basis: 개인정보 보호법 제28조의2
gates: {k: 1, max_suppressed_share: 0.1}
withdrawals: withdrawn.csv
tables:
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient, direct: true}
      sex: {treatment: keep}
      code: {treatment: keep}
"""
COLUMNS = ("patient", "sex", "code")


@dataclass
class Chain:
    """The hospital's folder, and the enclave that its snapshots are offered in."""

    world: World
    folder: Path

    def ansim(self, *words: str) -> str:
        settings = self.world.settings
        given = [
            "--source", self.folder, "--out", settings.snapshots, "--keys", self.folder / "keys",
            "--signing-key", template_key(self.world), "--snapshot-keys", settings.snapshot_keys,
            "--seal-key", settings.snapshot_seal,
        ]  # fmt: skip
        args = ["deid", words[0], str(self.folder / "visits.yaml"), *map(str, given), *words[1:]]
        result = CliRunner().invoke(ansim, args)
        assert result.exit_code == 0, result.output
        return result.output.strip().splitlines()[-1]

    def offered(self, snapshot: str) -> str:
        public = keys.load_public_key(self.world.settings.snapshot_public_key)
        reviewers = ("dahye", "woojin", "yerin")
        store, now = self.world.store, clock.now()
        return offered(store, Path(snapshot), public, steward="suyeon", reviewers=reviewers, now=now)

    def project(self) -> str:
        """A project that was granted everything of the version in force now."""
        world, now = self.world, clock.now()
        asked = application(data={"visits": {"visits": COLUMNS}})
        made = project.apply(world.store, world.actor("jiwoo"), application=asked, now=now)
        grant = {"dataset_id": "visits", "approve": {"visits": COLUMNS}, "reason": "맞음"}
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

    def rows(self, snapshot: str) -> bytes:
        """What whoever has folder and key store reads of a version. Raises: SnapshotShredded."""
        settings, folder = self.world.settings, Path(snapshot)
        manifest = read_manifest(folder, keys.load_public_key(settings.snapshot_public_key))
        store = open_store(settings.snapshot_keys, settings.snapshot_seal)
        return open_table(folder, manifest, keys_of(manifest, store), "visits").collect().write_csv().encode()

    def views(self) -> bytes:
        """Every byte that lies decrypted for workspaces, and every row of it as text."""
        files = [path for path in self.world.settings.views.rglob("*") if path.is_file()]
        rows = [pl.read_parquet(path).write_csv().encode() for path in files if path.suffix == ".parquet"]
        return b"".join([*(path.read_bytes() for path in files), *rows])


@pytest.fixture
def chain(world: World, tmp_path: Path) -> Chain:
    folder = tmp_path / "hospital"
    folder.mkdir()
    lines = [f"bg-{n:04d},{'MF'[n % 2]},{CANARY if f'bg-{n:04d}' == WHO else f'I10.{n % 9}'}" for n in range(100, 140)]
    (folder / "visits.csv").write_text("\n".join(["no,sex,code", *lines]) + "\n")
    (folder / "withdrawn.csv").write_text("subject,withdrawn_on\n")
    (folder / "visits.yaml").write_text(RECIPE, encoding="utf-8")
    deid_keys.create_master(folder / "keys")
    return Chain(world, folder)


def test_one_command_of_the_hospital_ends_what_holds_the_person(chain: Chain) -> None:
    world = chain.world
    first = chain.ansim("run")
    version = chain.offered(first)
    held_by = chain.project()
    space = chain.start(held_by)
    assert CANARY.encode() in chain.rows(first)
    assert CANARY.encode() in chain.views(), "it lies decrypted where the workspace mounts it"

    (chain.folder / "ids.txt").write_text(f" {WHO.upper()}\n")
    second = chain.ansim("withdraw", "--subjects", str(chain.folder / "ids.txt"))
    with pytest.raises(SnapshotShredded):
        chain.rows(first)
    assert CANARY.encode() not in chain.rows(second)

    assert recalling.take(world.portal) == [version]
    page = world.browser("suyeon").get(f"{ROOT}/snapshots/{version}").text
    assert [each for each in (held_by, space, "mina", "정보주체의 철회") if each not in page] == []
    assert WHO not in page.lower()
    told = world.browser("suyeon").api("GET", f"/snapshots/{version}").json()
    assert [(each["project_id"], each["workspaces"][0]["workspace_id"]) for each in told["holders"]] == [
        (held_by, space)
    ]
    assert "정보주체가 철회하여" in world.browser("mina").get(f"{ROOT}/projects/{held_by}").text

    assert sweeping.sweep(world.portal) == [space]
    for path in world.settings.views.rglob("*"):
        os.utime(path, (0, 0))  # as long after as a plan may still start
    assert views_kept.forget(world.portal)
    assert CANARY.encode() not in chain.views()
    with pytest.raises(Denied) as refused:
        chain.start(held_by)
    assert refused.value.code == "workspace.snapshot-withdrawn"


def test_no_later_version_has_them_and_work_goes_on_with_it(chain: Chain) -> None:
    world = chain.world
    chain.offered(chain.ansim("run"))
    (chain.folder / "ids.txt").write_text(f"{WHO}\n")
    second = chain.offered(chain.ansim("withdraw", "--subjects", str(chain.folder / "ids.txt")))
    recalling.take(world.portal)
    with (chain.folder / "visits.csv").open("a") as file:
        file.write(f"bg-0900,F,I10.1\n{WHO.upper()},M,{CANARY}\n")
    third = chain.ansim("run")
    assert CANARY.encode() not in chain.rows(third), "they come again in the next extract, written otherwise"
    version = chain.offered(third)
    assert queries.snapshot(world.store, Actor.console(), second).state is SnapshotState.PUBLISHED
    chain.start(chain.project())
    views = chain.views()
    assert (CANARY.encode() in views, b"I10.3" in views) == (False, True)
    assert world.browser("suyeon").api("GET", f"/snapshots/{version}").json()["holders"][0]["columns"] == len(COLUMNS)
