"""A snapshot that is not byte for byte what was signed is refused, with the file's name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from deid.errors import SnapshotDamaged
from deid.manifest import dump, parse
from deid.snapshot import MANIFEST, SIGNATURE, UNFINISHED, publish, read_manifest, unfinished, verify
from tests.deid.factory import HEAD, PEOPLE, Hospital, gates, hospital, visits


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hospital, Path]:
    clinic = hospital(tmp_path_factory.mktemp("snapshot") / "clinic")
    clinic.write("visits.csv", visits([(f"n{n}", "x", "M", 30, "2020-01-01", n) for n in range(20)]))
    return clinic, clinic.run(HEAD + gates() + PEOPLE).snapshot


@pytest.fixture
def copy(published: tuple[Hospital, Path], tmp_path: Path) -> Path:
    target = tmp_path / published[1].name
    shutil.copytree(published[1], target)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_published_snapshot_verifies_and_cannot_be_written(published: tuple[Hospital, Path]) -> None:
    clinic, folder = published
    manifest = verify(folder, clinic.public_key)
    assert folder.name == manifest.id
    assert manifest == read_manifest(folder, clinic.public_key)
    assert {path.stat().st_mode & 0o777 for path in files_of(folder)} == {0o444}
    names = {str(path.relative_to(folder)) for path in files_of(folder)}
    assert names == {MANIFEST, SIGNATURE, "report.html", "risk.json", "twin.zip", "data/visits/bucket-00.parquet"}


def test_every_single_byte_of_the_small_files_is_guarded(published: tuple[Hospital, Path], copy: Path) -> None:
    clinic, _ = published
    for name in (SIGNATURE, "data/visits/bucket-00.parquet"):
        path = copy / name
        good = path.read_bytes()
        for at in range(len(good)):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            with pytest.raises(SnapshotDamaged):
                verify(copy, clinic.public_key)
        path.write_bytes(good)
    verify(copy, clinic.public_key)


@given(data=st.data())
def test_a_changed_byte_anywhere_is_found_and_its_file_named(
    published: tuple[Hospital, Path], data: st.DataObject
) -> None:
    clinic, folder = published
    path = data.draw(st.sampled_from(files_of(folder)))
    good = path.read_bytes()
    at, flip = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(1, 255))
    path.chmod(0o644)
    try:
        path.write_bytes(good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :])
        with pytest.raises(SnapshotDamaged) as caught:
            verify(folder, clinic.public_key)
        expected = {str(path.relative_to(folder))}
        assert caught.value.file in expected | ({MANIFEST} if path.name == SIGNATURE else set())
    finally:
        path.write_bytes(good)
        path.chmod(0o444)
    verify(folder, clinic.public_key)


def truncate(folder: Path) -> str:
    path = folder / "report.html"
    path.write_bytes(path.read_bytes()[:-1])
    return "report.html"


def remove(folder: Path) -> str:
    (folder / "risk.json").unlink()
    return "risk.json"


def add(folder: Path) -> str:
    (folder / "data/extra.parquet").write_bytes(b"x")
    return "data/extra.parquet"


def link_a_file(folder: Path) -> str:
    target = folder.parent / "outside.json"
    (folder / "risk.json").rename(target)
    (folder / "risk.json").symlink_to(target)
    return "risk.json"


def link_a_folder(folder: Path) -> str:
    (folder / "data").rename(folder.parent / "outside")
    (folder / "data").symlink_to(folder.parent / "outside")
    return "data"


def link_the_manifest(folder: Path) -> str:
    (folder / MANIFEST).rename(folder.parent / "m.json")
    (folder / MANIFEST).symlink_to(folder.parent / "m.json")
    return MANIFEST


def fifo(folder: Path) -> str:
    os.mkfifo(folder / "data/pipe")
    return "data/pipe"


def no_signature(folder: Path) -> str:
    (folder / SIGNATURE).unlink()
    return SIGNATURE


def signature_with_spare_bits(folder: Path) -> str:
    line = (folder / SIGNATURE).read_bytes()
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(line[-4])
    (folder / SIGNATURE).write_bytes(line[:-4] + alphabet[last ^ 1 : (last ^ 1) + 1] + line[-3:])
    return SIGNATURE


def respell_the_manifest(folder: Path) -> str:
    body = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_text(json.dumps(body))
    return MANIFEST


@pytest.mark.parametrize(
    "damage",
    [truncate, remove, add, link_a_file, link_a_folder, link_the_manifest, fifo, no_signature,
     signature_with_spare_bits, respell_the_manifest],
)  # fmt: skip
def test_damage_is_named(published: tuple[Hospital, Path], copy: Path, damage: Callable[[Path], str]) -> None:
    name = damage(copy)
    with pytest.raises(SnapshotDamaged) as caught:
        verify(copy, published[0].public_key)
    assert caught.value.file == name
    assert caught.value.code == "deid.snapshot-damaged"


def test_a_snapshot_under_another_name_is_refused(published: tuple[Hospital, Path], copy: Path) -> None:
    other = copy.with_name("0" * 64)
    copy.rename(other)
    with pytest.raises(SnapshotDamaged, match="폴더 이름"):
        verify(other, published[0].public_key)


def test_a_manifest_signed_with_another_key_is_refused(published: tuple[Hospital, Path]) -> None:
    with pytest.raises(SnapshotDamaged, match="서명"):
        verify(published[1], Ed25519PrivateKey.generate().public_key())


def test_a_correctly_signed_manifest_in_another_spelling_is_refused(published: tuple[Hospital, Path]) -> None:
    data = (published[1] / MANIFEST).read_bytes()
    assert dump(parse(data)) == (published[1].name, data)
    for other in (
        data + b"\n",
        data.replace(b'"rows": 20', b'"rows":  20'),
        data.replace(b"/2", b"/1", 1),
        data.replace(b"/2", b"/3", 1),
        b"[]",
    ):
        with pytest.raises(ValueError, match=r"spelling|format"):
            parse(other)


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def fail_half_way() -> None:
        with unfinished(tmp_path / "out") as folder:
            (folder / "data").mkdir()
            (folder / "data/x").write_text("x")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_killed_run_left_is_swept_by_the_next_and_a_running_one_is_not(
    published: tuple[Hospital, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code = (
        "import os, sys; from pathlib import Path; from deid.snapshot import unfinished\n"
        "with unfinished(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'x').write_text('x'); print('there', flush=True)\n"
        "    os.kill(os.getpid(), 9) if sys.argv[2] == 'die' else sys.stdin.read()\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code, str(out), "live"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert running.stdout is not None
    assert running.stdout.readline() == b"there\n"
    subprocess.run([sys.executable, "-c", code, str(out), "die"], check=False, capture_output=True)
    assert len(list(out.glob(UNFINISHED + "*"))) == 2
    with unfinished(out) as mine:
        assert len(list(out.glob(UNFINISHED + "*"))) == 2  # the running one and mine
        manifest = parse((published[1] / MANIFEST).read_bytes())
        (mine / "x").write_text("x")
        folder, signed = publish(mine, out, manifest, published[0].keys.signing)
    running.communicate(b"")
    assert [path.name for path in out.iterdir()] == [signed.id]
    assert set(verify(folder, published[0].public_key).files) == {"x"}
