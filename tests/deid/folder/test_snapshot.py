"""A folder of images and signals becomes a signed snapshot: encrypted, followed by versions, or nothing at all."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pydicom
import pytest
from click.testing import CliRunner, Result

from deid.cli import deid
from deid.errors import GateFailed, KeyFileError, OutputError, RecipeError, SnapshotDamaged, SnapshotShredded
from deid.folder import one, work_folder
from deid.folder.format import Outcome
from deid.folder.gate import judge
from deid.folder.one import Result as FileResult
from deid.folder.one import Work
from deid.folder.people import People
from deid.folder.run_command import load_signed
from deid.folder.snapshot import FolderResult
from deid.folder.tally import Tally, Written
from deid.manifest import FORMAT_3, dump, parse
from deid.snapshot import read_manifest, verify
from deid.versions.held import entries, held_files, is_plain_name, read_through, stored_name
from deid.versions.keystore import SnapshotKeys
from deid.versions.tables import open_table
from tests.deid.folder.clinic import RECIPE, Clinic
from tests.deid.signal.make_edf import edf
from tests.deid.signal.planted import person


def keys_of(clinic: Clinic, made: FolderResult) -> SnapshotKeys:
    return clinic.keys.storage.of(made.manifest)


def index_of(clinic: Clinic, made: FolderResult) -> pl.DataFrame:
    return open_table(made.snapshot, made.manifest, keys_of(clinic, made), "index").collect()


def call(clinic: Clinic, command: str, *more: str) -> Result:
    given = [command, str(clinic.recipe), "--source", str(clinic.source), "--out", str(clinic.out)]
    keys = ["--keys", str(clinic.root / "keys"), "--signing-key", str(clinic.root / "keys/sign.pem")]
    return CliRunner().invoke(deid, [*given, *keys, *more])


def test_files_and_their_index_come_back_and_say_the_same(pictures: Clinic) -> None:
    (pictures.source / "heart.edf").write_bytes(edf(person(3)))
    made = pictures.run()
    assert made.manifest.format == FORMAT_3
    assert verify(made.snapshot, pictures.public_key) == made.manifest
    index = {row["file"]: row for row in index_of(pictures, made).to_dicts()}
    held = held_files(made.snapshot, made.manifest, keys_of(pictures, made))
    assert {each.name for each in held} == set(index)
    assert sorted(row["format"] for row in index.values()) == ["dicom"] * 4 + ["edf"]
    for each in held:
        data = b"".join(each.chunks())
        assert len(data) == each.size == index[each.name]["bytes"]
        if each.name.endswith(".dcm"):
            assert pydicom.dcmread(io.BytesIO(data)).PatientID == index[each.name]["patient"]


def test_nothing_of_the_source_and_no_pseudonym_is_readable_without_the_keys(pictures: Clinic) -> None:
    made = pictures.run()
    people = index_of(pictures, made)["patient"].unique().to_list()
    paths = [path for path in made.snapshot.rglob("*") if path.is_file()]
    seen = b"".join(str(path).encode() + path.read_bytes() for path in paths)
    for value in ("A-0001", "홍길동", "DICM", "one.dcm", *people):
        assert value.encode() not in seen, value


def test_the_manifest_says_what_is_held_and_what_was_not_let_in(pictures: Clinic) -> None:
    (pictures.source / "letter.hwp").write_bytes(b"HWP Document File")
    made = pictures.run()
    facts = made.manifest.lineage["folder"]
    assert (facts["files"], facts["patients"], facts["modalities"]) == (4, 2, {"CT": 4})
    assert facts["refused"] == {"folder.unknown": 1}
    assert [gate["gate"] for gate in made.manifest.gates] == ["self_scan", "failed_files"]
    assert "letter" not in (made.snapshot / "manifest.json").read_text()
    assert "letter" not in (made.snapshot / "report.html").read_text()


def test_an_unchanged_file_is_the_same_ciphertext_under_a_key_wrapped_anew(pictures: Clinic) -> None:
    first = pictures.run()
    pictures.slice_of("C-0003", "more.dcm")
    (pictures.source / "A-0001/one.dcm").unlink()
    second = pictures.run()
    assert (second.manifest.parent, second.manifest.difference["held"]) == (
        first.manifest.id,
        {"came": 1, "went": 1, "kept": 3},
    )
    kept = set(entries(first.manifest)) & set(entries(second.manifest))
    assert len(kept) == 3
    assert all((first.snapshot / name).samefile(second.snapshot / name) for name in kept)
    read_through(second.snapshot, second.manifest, keys_of(pictures, second))
    pictures.keys.storage.destroy(first.manifest.id, day="2026-11-25")
    read_through(second.snapshot, second.manifest, keys_of(pictures, second))


def test_a_file_that_says_something_else_now_is_written_anew(pictures: Clinic) -> None:
    first = pictures.run()
    path = pictures.source / "A-0001/one.dcm"
    data = pydicom.dcmread(path)
    data.PatientWeight = 61
    data.save_as(path)
    second = pictures.run()
    assert second.manifest.difference["held"] == {"came": 1, "went": 0, "kept": 3}
    (changed,) = (
        name for name, entry in entries(second.manifest).items() if entry.dek != first.manifest.files[name].dek
    )
    assert first.manifest.files[changed].sha256 != second.manifest.files[changed].sha256


def plant(path: Path, value: bytes) -> None:
    """Put a name among the pixels, where no rule takes it away and letters of bytes are no letters of a picture."""
    data = pydicom.dcmread(path)
    data.PatientName = value.decode()
    data.PixelData = data.PixelData[:1000] + value + data.PixelData[1000 + len(value) :]
    data.save_as(path)


def test_one_value_left_in_one_file_and_nothing_is_published(pictures: Clinic, tmp_path: Path) -> None:
    before = pictures.run()
    plant(pictures.source / "B-0002/two.dcm", b"HONGGILDONGSON")
    reports: list[dict[str, object]] = []
    with pytest.raises(GateFailed) as failed:
        pictures.run(told=reports.append)
    assert failed.value.code == "deid.gate-self-scan"
    # File and place: the new name, an offset, an encoding; never the value, nor the name of the source file.
    assert re.search(r"[0-9a-f]{32}/[\d.]+/[\d.]+/[\d.]+\.dcm@\d+ \(utf-8\)", failed.value.en)
    assert "HONG" not in failed.value.en + failed.value.ko
    assert "two.dcm" not in failed.value.en + failed.value.ko
    assert pictures.left_behind() == [before.manifest.id]
    assert pictures.keys.storage.known() == (before.manifest.id,)
    (refused,) = reports[0]["refused"]  # type: ignore[misc]
    assert refused["file"] == "B-0002/two.dcm"
    result = call(pictures, "run", "--report", str(tmp_path / "report.json"))
    assert result.exit_code == 5
    assert json.loads((tmp_path / "report.json").read_bytes())["refused"][0]["code"] == "folder.left"


def test_a_value_that_another_file_of_the_patient_taught_refuses_too(pictures: Clinic) -> None:
    data = pydicom.dcmread(pictures.source / "B-0002/one.dcm")
    data.PixelData = data.PixelData[:1000] + b"KWONYOUNGSUK" + data.PixelData[1012:]
    data.save_as(pictures.source / "B-0002/one.dcm")
    assert pictures.run().manifest.lineage["folder"]["files"] == 4
    other = pydicom.dcmread(pictures.source / "B-0002/two.dcm")
    other.PatientName = "KWONYOUNGSUK"
    other.save_as(pictures.source / "B-0002/two.dcm")
    with pytest.raises(GateFailed, match="self_scan"):
        pictures.run()


def test_a_folder_without_a_file_that_can_be_written_is_no_snapshot(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path / "clinic")
    (clinic.source / "letter.hwp").write_bytes(b"HWP Document File")
    with pytest.raises(GateFailed) as failed:
        clinic.run()
    assert failed.value.code == "deid.gate-files"
    assert clinic.left_behind() == []


@pytest.mark.parametrize("name", ["a.남", "a b.edf", "../a.edf", "index.parquet"])
def test_a_file_that_a_format_names_so_that_no_workspace_can_have_it_refuses(name: str) -> None:
    tally = Tally(written=[Written((name,), Outcome((name,), "p"), "source", "edf")])
    with pytest.raises(GateFailed) as failed:
        judge(tally)
    assert failed.value.code == "deid.gate-file-names"


@pytest.mark.parametrize("missing", ["provider", "legal_basis"])
def test_a_recipe_that_does_not_say_what_a_snapshot_must_say_is_refused(pictures: Clinic, missing: str) -> None:
    text = pictures.recipe.read_text()
    pictures.recipe.write_text(re.sub(rf"^{missing}:.*\n", "", text, flags=re.MULTILINE))
    with pytest.raises(RecipeError, match=missing):
        load_signed(pictures.recipe)
    assert call(pictures, "run").exit_code == 3
    # `ansim deid folder` signs nothing and asks for neither.
    assert "provider:" not in RECIPE.read_text()


CHILD = """
import os, signal, sys
from pathlib import Path
from deid.folder import sealing, snapshot
from tests.deid.folder.clinic import Clinic

root, step = Path(sys.argv[1]), sys.argv[2]
place = Clinic.__new__(Clinic)
place.root, place.source, place.out, place.recipe = root, root / "source", root / "snapshots", root / "recipe.yaml"

def stop(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def progress(done, total):
    if step == "files" and done == 2:
        stop()

sealed = []
def seal(*given):
    sealed.append(made(*given))
    if step == "sealing" and len(sealed) == 2:
        stop()
    return sealed[-1]

made, sealing.seal = sealing.seal, seal
if step == "publish":
    snapshot.publish = stop
if step == "rename":
    Path.rename = stop
place.run(progress=progress)
"""


@pytest.mark.parametrize("step", ["files", "sealing", "publish", "rename"])
def test_a_killed_run_publishes_nothing_and_the_next_sweeps_it_away(pictures: Clinic, step: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(pictures.root), step],
        check=False, capture_output=True, cwd=Path.cwd(), env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    left = pictures.left_behind()
    assert sorted(name[:6] for name in left) == [".plain", ".unfin"]
    plain = next(name for name in left if name.startswith(".plain"))
    assert (pictures.out / plain).stat().st_mode & 0o777 == 0o700
    made = pictures.run()
    assert pictures.left_behind() == [made.manifest.id]
    verify(made.snapshot, pictures.public_key)
    read_through(made.snapshot, made.manifest, keys_of(pictures, made))


def processed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The source files that are rewritten from now on, in order."""
    names: list[str] = []

    def process(work: Work, number: int, name: str) -> FileResult:
        names.append(name)
        return do(work, number, name)

    do = one.process
    monkeypatch.setattr(one, "process", process)
    return names


def killed(pictures: Clinic, step: str) -> None:
    given = [sys.executable, "-c", CHILD, str(pictures.root), step]
    done = subprocess.run(given, check=False, capture_output=True, env={**os.environ, "PYTHONPATH": "."})
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_a_run_that_was_killed_goes_on_where_it_was(pictures: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    killed(pictures, "files")
    names = processed(monkeypatch)
    made = pictures.run()
    assert names == ["B-0002/one.dcm", "B-0002/two.dcm"]
    assert made.manifest.lineage["folder"]["files"] == 4
    assert made.manifest.lineage["folder"]["duplicates"] == 0
    read_through(made.snapshot, made.manifest, keys_of(pictures, made))


@pytest.mark.parametrize("what", ["recipe", "list", "boot"])
def test_nothing_goes_on_under_another_recipe_list_or_after_the_machine_started_anew(
    pictures: Clinic, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    killed(pictures, "files")
    if what == "recipe":
        pictures.recipe.write_text(pictures.recipe.read_text() + "# another\n")
    elif what == "list":
        pictures.withdraw("A-0001")
    else:
        monkeypatch.setattr(work_folder, "BOOT", pictures.root / "none")
    names = processed(monkeypatch)
    made = pictures.run()
    assert len(names) == 4
    assert made.manifest.lineage["folder"]["files"] == (2 if what == "list" else 4)
    assert pictures.left_behind() == [made.manifest.id]


def test_the_same_run_twice_at_once_is_refused(pictures: Clinic) -> None:
    def second(done: int, _: int) -> None:
        if done == 1:
            pictures.run()

    with pytest.raises(OutputError) as refused:
        pictures.run(progress=second)
    assert refused.value.code == "deid.folder-busy"


def test_the_commands_of_tables_take_a_recipe_of_a_folder(pictures: Clinic) -> None:
    done = call(pictures, "run")
    assert done.exit_code == 0, done.output
    folder = Path(done.stdout.splitlines()[-1])
    public, keys = str(pictures.root / "keys/sign.pem.pub"), pictures.root / "keys"
    store = ["--snapshot-keys", str(keys / "snapshots"), "--seal-key", str(keys / "seal.key")]
    assert CliRunner().invoke(deid, ["verify", str(folder), "--key", public, *store]).exit_code == 0
    assert CliRunner().invoke(deid, ["report", str(folder), "--key", public]).exit_code == 0
    assert CliRunner().invoke(deid, ["twin", str(folder), str(pictures.root / "t"), "--key", public]).exit_code == 0
    pictures.slice_of("C-0003", "more.dcm")
    folder = Path(call(pictures, "run").stdout.splitlines()[-1])
    said = CliRunner().invoke(deid, ["diff", str(folder), "--key", public])
    assert "파일 (files) +1 −0, 유지 (kept) 4" in said.output


def test_who_is_on_the_list_is_left_out_however_the_number_is_spelled(pictures: Clinic) -> None:
    pictures.withdraw("a 1", "Z-99")
    made = pictures.run()
    facts = made.manifest.lineage["folder"]
    assert (facts["files"], facts["patients"], facts["refused"]) == (2, 1, {"folder.withdrawn": 2})
    assert made.manifest.withdrawn == 1
    assert made.spelled == {"A-0001"}


STREAM = "등록번호,heartRate,steps\n" + "".join(
    f"{who},{60 + at},{at}\n" for at, who in enumerate(["A-0001", "D-0004"])
)


def test_a_file_of_several_people_is_each_of_theirs(pictures: Clinic) -> None:
    (pictures.source / "watch.csv").write_text(STREAM)
    made = pictures.run()
    (stream,) = (entry for entry in entries(made.manifest).values() if len(entry.owners or ()) > 1)
    assert len(stream.owners or ()) == 2
    pictures.withdraw("D-0004")
    assert call(pictures, "shred").exit_code == 0
    assert stream.dek in keys_of(pictures, made).shredded
    assert pictures.run().manifest.lineage["folder"]["refused"] == {"folder.withdrawn": 1}


def test_the_list_itself_is_never_taken_for_a_signal(pictures: Clinic) -> None:
    pictures.withdraw("Z-99")
    assert pictures.run().manifest.lineage["folder"]["refused"] == {}


def test_a_patient_who_withdraws_is_read_in_no_version_any_more_and_the_others_are(pictures: Clinic) -> None:
    first = pictures.run()
    pictures.slice_of("C-0003", "more.dcm")
    second = pictures.run()
    who = People(pictures.keys, "imaging", "patient", 365).pseudonym("A-0001")
    files = index_of(pictures, second).filter(pl.col("patient") == who)["file"]
    theirs = {stored_name(name) for name in files}
    (pictures.root / "who.txt").write_text("A-0001\n")
    done = call(pictures, "withdraw", "--subjects", str(pictures.root / "who.txt"))
    assert done.exit_code == 0, done.output
    for old in (first, second):
        keys = keys_of(pictures, old)
        with pytest.raises(SnapshotShredded):
            held_files(old.snapshot, old.manifest, keys)
        gone = set(keys.missing(old.manifest))
        assert gone & set(entries(old.manifest)) == theirs
        # What is left is still what was signed, and the others' files can still be told to be so.
        verify(old.snapshot, pictures.public_key)
        read_through(old.snapshot, old.manifest, keys)
    newest = Path(done.stdout.splitlines()[-1])
    third = read_manifest(newest, pictures.public_key)
    assert (third.withdrawn, third.parent, third.lineage["folder"]["files"]) == (1, second.manifest.id, 3)
    assert third.difference["held"] == {"came": 0, "went": 2, "kept": 3}
    read_through(newest, third, pictures.keys.storage.of(third))


def test_somebody_is_found_though_the_index_cannot_be_read_any_more(pictures: Clinic) -> None:
    made = pictures.run()
    store = pictures.keys.storage
    dek = made.manifest.files[made.manifest.tables["index"].files[0]].dek
    assert dek
    store.shred(made.manifest.id, [dek], day="2026-11-24")
    pictures.withdraw("B-0002")
    done = call(pictures, "shred")
    assert done.exit_code == 0, done.output
    gone = store.of(made.manifest).missing(made.manifest)
    assert len([name for name in gone if name in entries(made.manifest)]) == 2


@pytest.mark.parametrize(
    "name",
    ["../x.dcm", "/etc/passwd", "a/../b", "a//b", ".hidden", "a/.b", "a\\b", "a\nb", "index.parquet", "", "가.dcm",
     "a/" * 9 + "b", "x" * 200],
)  # fmt: skip
def test_a_name_that_leads_out_or_stands_in_a_tables_place_is_no_name(name: str) -> None:
    assert not is_plain_name(name)


def test_a_manifest_of_files_is_its_own_bytes_and_those_of_tables_stay_as_they_were(pictures: Clinic) -> None:
    made = pictures.run()
    data = (made.snapshot / "manifest.json").read_bytes()
    assert dump(parse(data))[1] == data
    with pytest.raises(ValueError, match="canonical"):
        parse(data.replace(b"ansim-snapshot/3", b"ansim-snapshot/2"))


def test_a_file_of_another_version_in_its_place_is_seen(pictures: Clinic) -> None:
    made = pictures.run()
    names = sorted(entries(made.manifest))
    mine, other = made.snapshot / names[0], made.snapshot / names[1]
    mine.parent.chmod(0o755)
    mine.unlink()
    mine.write_bytes(other.read_bytes())
    with pytest.raises(SnapshotDamaged):
        verify(made.snapshot, pictures.public_key)
    with pytest.raises(SnapshotDamaged):
        read_through(made.snapshot, made.manifest, keys_of(pictures, made))


def test_the_keys_of_another_version_open_nothing(pictures: Clinic) -> None:
    first = pictures.run()
    pictures.slice_of("A-0001", "A-0001/one.dcm", "MR_small.dcm")
    second = pictures.run()
    keys = replace(keys_of(pictures, second), snapshot=first.manifest.id)
    with pytest.raises(KeyFileError) as lost:
        held_files(first.snapshot, first.manifest, keys)
    assert lost.value.code == "deid.key-lost"
