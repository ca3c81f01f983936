"""A ZIP as the source: Korean names, members that lie, and bombs."""

from __future__ import annotations

import io
import json
import shutil
import struct
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydicom.data import get_testdata_file

from deid.cli import deid
from deid.errors import SourceError
from deid.folder import zips
from deid.folder.zips import unpacked
from deid.snapshot import read_manifest
from tests.deid.folder.clinic import FEED, Clinic

RECIPE = Path(__file__).parents[3] / "recipes/imaging-default.yaml"
SLICE = get_testdata_file("CT_small.dcm")
assert isinstance(SLICE, str)


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2025, 3, 2, 1, 2, 4)), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def unpack(path: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    with unpacked(path) as (folder, refused):
        assert folder.stat().st_mode & 0o077 == 0
        found = {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    assert not folder.exists()
    assert all(each.ko and each.en for each in refused)
    return found, {each.name: each.code for each in refused}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "private").mkdir(mode=0o700)
    return tmp_path / "private" / "환자.zip"


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("홍길동/뇌.dcm".encode(), 0x800, "홍길동/뇌.dcm"),
        ("홍길동/뇌.dcm".encode(), 0, "홍길동/뇌.dcm"),
        ("홍길동/뇌.dcm".encode("cp949"), 0, "홍길동/뇌.dcm"),
        (b"plain.dcm", 0, "plain.dcm"),
        (b"caf\x82.dcm", 0, "café.dcm"),
    ],
)
def test_names_are_read_as_they_were_meant(raw: bytes, flags: int, name: str) -> None:
    member = zipfile.ZipInfo(raw.decode("utf-8" if flags else "cp437"))
    member.flag_bits = flags
    assert zips.name_of(member) == name


def call(source: Path, out: Path, *more: str) -> Result:
    given = ["folder", str(source), str(out), "--recipe", str(RECIPE), "--report", str(out.parent / "report.json")]
    return CliRunner().invoke(deid, [*given, *more])


def test_a_zip_is_de_identified_as_a_folder_is(tmp_path: Path, archive: Path) -> None:
    slice_ = Path(SLICE).read_bytes()
    archive.write_bytes(packed({"홍길동/1.dcm": slice_, "홍길동/2.zip": packed({"a": b"b"}), "notes.hwp": b"HWP"}))
    result = call(archive, tmp_path / "out")
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert result.exit_code == 0, result.output
    assert report["written"] == 1
    assert {each["file"]: each["code"] for each in report["refused"]} == {
        "홍길동/2.zip": "folder.zip",
        "notes.hwp": "folder.unknown",
    }
    assert [each.name for each in archive.parent.iterdir()] == [archive.name]


def test_a_zip_becomes_a_snapshot_as_a_folder_does(tmp_path: Path, archive: Path) -> None:
    clinic = Clinic(tmp_path / "clinic")
    members = {"1.dcm": Path(SLICE).read_bytes(), "../2.dcm": b"x", "withdrawn.csv": FEED.encode()}
    archive.write_bytes(packed(members))
    keys = ["--keys", str(clinic.root / "keys"), "--signing-key", str(clinic.root / "keys/sign.pem")]
    given = ["run", str(clinic.recipe), "--source", str(archive), "--out", str(clinic.out), *keys]
    result = CliRunner().invoke(deid, given)
    assert result.exit_code == 0, result.output
    (made,) = [path for path in clinic.out.iterdir() if path.is_dir()]
    facts = read_manifest(made, clinic.public_key).lineage["folder"]
    assert (facts["files"], facts["refused"]) == (1, {"folder.zip-path": 1})
    assert [each.name for each in archive.parent.iterdir()] == [archive.name]


def test_a_zip_is_no_source_of_tables(tmp_path: Path, archive: Path) -> None:
    clinic = Clinic(tmp_path / "clinic")
    archive.write_bytes(packed({"a.csv": b"a"}))
    keys = ["--keys", str(clinic.root / "keys"), "--signing-key", str(clinic.root / "keys/sign.pem")]
    given = ["run", str(RECIPE.parent / "nafld.yaml"), "--source", str(archive), "--out", str(clinic.out), *keys]
    result = CliRunner().invoke(deid, given)
    assert result.exit_code == 2
    assert "--source" in result.output


@pytest.mark.parametrize("name", ["../out.dcm", "/etc/out.dcm", "a/../../out.dcm", "C:/out.dcm", "..\\out.dcm"])
def test_no_name_leads_out_of_the_folder(archive: Path, name: str) -> None:
    archive.write_bytes(packed({name: b"x", "good.dcm": b"y"}))
    found, refused = unpack(archive)
    assert found == {"good.dcm": b"y"}
    assert set(refused.values()) == {"folder.zip-path"}


def test_a_link_an_encrypted_member_and_a_damaged_one_are_refused_alone(archive: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
        made.writestr("damaged", b"HERE IS WHAT WILL BE OTHERWISE")
        made.writestr("secret", b"s")
        made.writestr("good", b"g")
        made.writestr("good/below", b"g")
    data = bytearray(file.getvalue().replace(b"OTHERWISE", b"DIFFERENT"))
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"secret"))
    struct.pack_into("<H", data, place + 8, 1)
    archive.write_bytes(data)
    found, refused = unpack(archive)
    assert found == {"good": b"g"}
    assert refused == {
        "link": "folder.zip-path",
        "damaged": "folder.zip-damaged",
        "secret": "folder.zip-encrypted",
        "good/below": "folder.zip-twice",
    }


@pytest.mark.parametrize("name", ["가" * 90, "/".join("d" * 3000)], ids=["a name", "a path"])
def test_a_name_too_long_for_the_disk_is_refused_alone(archive: Path, name: str) -> None:
    archive.write_bytes(packed({name: b"x", "good": b"g"}))
    assert unpack(archive) == ({"good": b"g"}, {name: "folder.zip-damaged"})


def test_a_time_that_is_none_is_no_reason_to_stop(archive: Path) -> None:
    data = bytearray(packed({"good": b"g"}))
    for mark, at in ((b"PK\1\2", 14), (b"PK\3\4", 12)):
        struct.pack_into("<H", data, data.index(mark) + at, 0xFFFF)
    archive.write_bytes(data)
    assert unpack(archive) == ({"good": b"g"}, {})


def _flat_bomb() -> bytes:
    return packed({"zeros": bytes(4 << 20)})


def _overlapping() -> bytes:
    data = bytearray(packed({"a": bytes(4000), "b": bytes(4000)}))
    second = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, second + 42, 0)
    return bytes(data)


@pytest.mark.parametrize("bomb", [_flat_bomb, _overlapping], ids=lambda case: case.__name__)
def test_a_bomb_is_refused_before_anything_is_written(
    archive: Path, bomb: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zips, "FREE_OF_SUSPICION", 1 << 20)
    assert callable(bomb)
    archive.write_bytes(bomb())
    with pytest.raises(SourceError) as told, unpacked(archive):
        pass
    assert told.value.code == "deid.source-zip-bomb"
    assert [each.name for each in archive.parent.iterdir()] == [archive.name]


def test_what_is_no_zip_and_a_folder_that_others_write_to_are_told(tmp_path: Path, archive: Path) -> None:
    archive.write_bytes(b"no zip")
    assert "deid.source-zip-format" in call(archive, tmp_path / "out").output
    archive.write_bytes(packed({"a": b"b"}))
    archive.parent.chmod(0o777)
    assert "deid.folder-zip" in call(archive, tmp_path / "out").output


def test_a_killed_run_of_a_zip_goes_on(tmp_path: Path, archive: Path) -> None:
    members = {f"{number}.dcm": Path(SLICE).read_bytes() for number in range(2)}
    archive.write_bytes(packed(members))
    with unpacked(archive) as (folder, _):
        times = {each.name: each.stat().st_mtime_ns for each in folder.iterdir()}
        left = tmp_path / "left"
        shutil.copytree(folder, left)
    shutil.move(left, folder)  # as if killed
    with unpacked(archive) as (folder, refused):
        assert {each.name: each.stat().st_mtime_ns for each in folder.iterdir()} == times
    assert refused == []
