"""What the story made, looked at afterwards: in the files, in the workspace, in the log."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import zipfile

import polars as pl
import pytest

from deid.snapshot import read_manifest
from deid.versions.keystore import keys_of
from deid.versions.tables import open_table
from demo import pacs
from demo.chapters.cohort import SOURCE, code_of
from demo.chapters.work import DATA
from demo.services import VENV
from demo.world import CHECKOUT
from enclave import reserved
from enclave.keys import load_public_key
from enclave.snapshot_keys import store_of
from enclave.workspace.topology import Topology
from tests.e2e.acts import cell, kernel_of, logged, printed


@pytest.fixture(scope="module")
def package(world):
    """The released zip as its receiver has it: {name: bytes}."""
    with zipfile.ZipFile(io.BytesIO((world.settings.home / f"demo/{world.release_id}.zip").read_bytes())) as file:
        return {name: file.read(name) for name in file.namelist()}


def _manifest(world, dataset):
    return json.loads((world.settings.snapshots / world.snapshots[dataset] / "manifest.json").read_text())


def test_the_workspace_sees_the_approved_columns_and_nothing_else(world):
    code = """
import json, pathlib, pyarrow.parquet as pq
seen = {}
for p in pathlib.Path('/data').rglob('*.parquet'):
    seen.setdefault(p.parent.name, {})[p.stem] = pq.read_schema(p).names
print(json.dumps(seen))"""
    with kernel_of(world.session("mina")) as kernel:
        assert printed(kernel, code) == DATA


def test_the_notebook_of_images_chooses_a_cohort_makes_batches_and_asks_what_may_leave(world):
    cells = code_of(json.loads(SOURCE.read_text()))
    with kernel_of(world.session("mina")) as kernel:
        told = [cell(kernel, code) for code in cells]
        passed = "print(json.dumps([[f.verdict, f.recomputed] for f in ansim.egress.preflight('cohort.csv').files]))"
        assert printed(kernel, f"import json\n{passed}") == [["PASS", "match"]]
    chosen = next(text for text in told if "(1, 64, 64)" in text)
    assert chosen.startswith(f"{len(pacs.GIVEN['CT_small.dcm'])} ")
    assert any("12 12 [(8, 1, 64, 64), (4, 1, 64, 64)]" in text for text in told)


def test_nothing_of_the_hospitals_patients_is_in_the_pictures_of_the_workspace(world):
    with (world.settings.source / "bitgoeul/patients.csv").open(encoding="utf-8", newline="") as lines:
        patients = [row for row, _ in zip(csv.DictReader(lines), range(pacs.PATIENTS), strict=False)]
    names = ("hospital_no", "name", "rrn", "phone")
    wanted = {row[name].encode() for row in patients for name in names}
    wanted |= {row["birth_date"].replace("-", "").encode() for row in patients}
    laid = [path for path in world.settings.views.rglob("*") if path.is_file()]
    pictures = [path for path in laid if path.suffix == ".dcm"]
    assert len(pictures) >= pacs.PICTURES
    assert {path.name for path in pictures for each in wanted if each in path.read_bytes()} == set()
    given = b"".join(path.read_bytes() for path in (world.settings.source / pacs.FOLDER).rglob("*.dcm"))
    assert [each for each in wanted if each not in given] == []  # the search finds what is there


def test_what_the_workspace_sees_cannot_be_changed_from_inside(world):
    code = "open('/data/nafld/patients.parquet', 'r+b')"
    with kernel_of(world.session("mina")) as kernel:
        assert "Read-only file system" in kernel.run(code).error or "Permission" in kernel.run(code).error


def test_the_workspace_reaches_nothing_outside(world):
    sealed = world.settings.topology == Topology.SEALED
    code = "import json, os; print(json.dumps(sorted(os.listdir('/sys/class/net'))))"
    with kernel_of(world.session("mina")) as kernel:
        assert printed(kernel, code) == (["lo"] if sealed else ["eth0", "lo"])
        said = kernel.run("import socket; socket.create_connection(('1.1.1.1', 53), 3)").error
        assert ("Network is unreachable" if sealed else "timed out") in said


def _table(world, folder, name):
    manifest = read_manifest(folder, load_public_key(world.settings.snapshot_public_key))
    return open_table(folder, manifest, keys_of(manifest, store_of(world.settings)), name).collect()


@pytest.mark.parametrize(("dataset", "table"), [("nafld", "patients"), ("rand", "claims")])
def test_every_combination_of_quasi_identifiers_belongs_to_five_people_or_more(world, dataset, table):
    about = _manifest(world, dataset)["tables"][table]
    quasi = [name for name, column in about["columns"].items() if column["quasi_identifier"]]
    assert quasi
    folder = world.settings.snapshots / world.snapshots[dataset]
    rows = _table(world, folder, table)
    people = next(name for name, column in about["columns"].items() if column["treatment"].startswith("pseudonym"))
    assert rows.group_by(quasi).agg(pl.col(people).n_unique().alias("k"))["k"].min() >= 5


def test_no_identifier_of_the_hospital_is_in_the_snapshots(world):
    source = pl.read_csv(world.settings.source / "bitgoeul/patients.csv", infer_schema=False)
    for path in world.settings.snapshots.glob("*/manifest.json"):
        for name in json.loads(path.read_text())["tables"]:
            table = _table(world, path.parent, name)
            texts = {text for name in table.columns if table[name].dtype == pl.String for text in table[name].to_list()}
            for column in ("hospital_no", "name", "rrn", "phone"):
                assert not texts & set(source[column].drop_nulls()), f"{path}: {name}.{column}"


def test_the_recipe_that_fails_its_gate_has_published_nothing(world):
    recipe = hashlib.sha256((CHECKOUT / "recipes/nafld-too-fine.yaml").read_bytes()).hexdigest()
    manifests = {
        path.parent.name: json.loads(path.read_text()) for path in world.settings.snapshots.glob("*/manifest.json")
    }
    assert recipe not in {made["recipe_sha256"] for made in manifests.values()}
    # A drill brings a snapshot of made-up values of its own.
    published = {name for name, made in manifests.items() if not reserved.is_reserved(made["dataset"])}
    assert published == set(world.snapshots.values())


def test_the_received_bytes_are_the_reviewed_bytes(world, package):
    reviewed = world.ask("dahye", "GET", f"/requests/{world.requests['good']}")["files"]
    assert {each["name"]: each["sha256"] for each in reviewed} == {
        name: hashlib.sha256(content).hexdigest() for name, content in package.items() if name != "manifest.json"
    }


def test_the_second_hand_over_is_refused_and_on_record(world):
    jiwoo = world.session("jiwoo")
    refused = jiwoo.api("POST", f"/releases/{world.release_id}/hand-over", {"code": ""})
    assert refused.is_client_error
    assert refused.json()["ko"]
    assert "PK" not in refused.text
    outcomes = [each["outcome"] for each in logged(world, "release.hand-over", world.release_id)]
    assert outcomes.count("done") + outcomes.count("allowed") == 1
    assert len(outcomes) >= 2


def test_a_release_is_unreadable_where_it_lies(world, package):
    stored = b"".join(path.read_bytes() for path in world.settings.releases.iterdir())
    assert stored
    content = package["table.csv"]
    assert not any(content[start : start + 16] in stored for start in range(0, len(content) - 16, 8))
    assert b"table.csv" not in stored
    assert b"PK\x03\x04" not in stored


@pytest.mark.parametrize(
    ("who", "which"),
    [("dahye", "small"), ("dahye", "phone"), ("mina", "good"), ("dahye", "differencing")],
    ids=["small cell", "phone", "own", "differencing"],
)
def test_the_votes_that_may_not_be_are_on_record_as_denied(world, who, which):
    found = logged(world, "egress.review", world.requests[which], "denied")
    people = {each["login"]: each["id"] for each in world.ask("haneul", "GET", "/accounts")["accounts"]}
    assert people[who] in {each["actor"]["id"] for each in found}


def test_the_difference_that_was_stopped_names_the_release_to_its_author_and_how_few_to_checkers_alone(world):
    asked = world.requests["differencing"]
    own = world.ask("mina", "GET", f"/requests/{asked}")["files"][0]
    assert {each["rule"] for each in own["findings"] if each["severity"] == "BLOCK"} <= {"ledger.pair", "ledger.union"}
    assert world.release_id in own["findings"][0]["ko"]
    assert own["evidence"] == []
    [seen] = world.ask("dahye", "GET", f"/requests/{asked}")["files"]
    rows = [row for each in seen["evidence"] if each["kind"] == "ledger" for row in each["rows"][1:]]
    assert {row[2] for row in rows} >= {world.release_id}
    assert all(0 < int(row[1]) < 10 for row in rows)


def test_the_released_tables_were_made_again_from_the_snapshot_and_hide_their_small_cells(world, package):
    files = {each["name"]: each for each in world.ask("dahye", "GET", f"/requests/{world.requests['good']}")["files"]}
    assert {name: each["recomputed"] for name, each in files.items()} == {
        "table.csv": True, "small_cells.repaired.csv": True, "hdl.png": False
    }  # fmt: skip
    assert b",*" in package["small_cells.repaired.csv"]


def test_the_release_rests_on_two_people_of_two_organisations(world):
    found = world.ask("dahye", "GET", f"/requests/{world.requests['good']}")
    approvals = [each for each in found["reviews"] if each["decision"] == "approve"]
    assert len({each["organisation_id"] for each in approvals}) == 2
    assert found["requester_organisation_id"] not in {each["organisation_id"] for each in approvals}


def test_the_log_verifies_for_somebody_without_an_account(world):
    command = [VENV / "bin/ansim", "audit", "verify", str(world.settings.log)]
    done = subprocess.run(
        [*command, "--key", str(world.settings.keys / "log.pub")], check=False, capture_output=True, text=True,
        user="nobody", group="nogroup", extra_groups=[], cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_log_names_no_person_and_no_secret(world):
    text = b"".join(path.read_bytes() for path in (world.settings.log / "tile/entries").rglob("*") if path.is_file())
    for word in ("김민아", "demo-only", "지방간 섬유화", "010-1234-5678"):
        assert word.encode() not in text
