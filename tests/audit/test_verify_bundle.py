"""Evidence bundles: made from a published log, checked by the room and by their own one-file verifier, attacked."""

from __future__ import annotations

import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from audit import standalone
from audit.bundle import Source
from audit.errors import AuditError, LogConflictError, NotInLogError
from audit.reader import LogReader
from audit.tiles import Tile
from audit.verify import verify_bundle
from tests.audit.logs import CHOSEN, VKEY, entry, make
from tests.audit.tampering import TAMPERINGS, TAMPERINGS_WITH_TILES

# What is in truth one and the same to whoever holds the bundle.
SAME = {
    ("key added to the policy", "checkpoint re-signed", "log's own signature taken off"),
    ("entry forged", "entry forged (tiles)"),
    ("hash of an entry (tiles)", "hash above (tiles)"),
}


@pytest.fixture
def copy(sound, tmp_path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "bundle"))


@pytest.fixture
def copy_with_tiles(sound_with_tiles, tmp_path) -> Path:
    return Path(shutil.copytree(sound_with_tiles, tmp_path / "bundle"))


def run(folder: Path, *arguments: str, program: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the bundle's own verifier as an auditor would: another folder, none of our code on the path."""
    command = [sys.executable, "-I", str(program or folder / "verify.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)


def test_a_bundle_with_proofs_verifies_claim_by_claim(sound) -> None:
    report = verify_bundle(sound, VKEY)
    assert report.ok
    assert [claim.code for claim in report.claims] == [
        "bundle.files",
        "bundle.key",
        "checkpoint",
        "bundle.own-witness",
        "bundle.stamped",
        "bundle.entries",
        "bundle.inclusion",
        "bundle.selection",
    ]
    assert [claim.code for claim in report.claims if claim.amber] == [
        "bundle.own-witness",
        "bundle.stamped",
        "bundle.selection",
    ], "witnesses and certificate are the bundle's own, and nobody shows what it left out"
    assert (sound / "entries.jsonl").read_bytes().splitlines() == [entry(index) for index in CHOSEN]
    assert sorted(path.name for path in sound.iterdir()) == [
        "README.txt",
        "checkpoint",
        "checkpoint.tsr",
        "entries.jsonl",
        "manifest.json",
        "policy",
        "proofs",
        "tsa.pem",
        "verify.py",
        "읽어보기.txt",
    ]


def test_a_bundle_with_tiles_verifies_and_holds_only_the_tiles_it_needs(sound_with_tiles) -> None:
    assert verify_bundle(sound_with_tiles, VKEY).ok
    tiles = {
        path.relative_to(sound_with_tiles).as_posix()
        for path in (sound_with_tiles / "tile").rglob("*")
        if path.is_file()
    }
    assert tiles == {tile.path for tile in (Tile(0, 0, 256), Tile(0, 1, 256), Tile(0, 2, 88), Tile(1, 0, 2))}


def test_an_unbroken_range_is_shown_to_be_complete(log_of_600, tmp_path) -> None:
    report = verify_bundle(make(Source(log_of_600, VKEY), tmp_path / "bundle", range(10, 20)), VKEY)
    assert report.claims[-1].code == "bundle.complete"
    assert "10-19" in report.claims[-1].en


def test_a_large_bundle_carries_tiles_and_verifies(log_of_600, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("audit.bundle._PROOFS_UP_TO", 100)
    folder = make(Source(log_of_600, VKEY), tmp_path / "bundle", range(600))
    assert verify_bundle(folder, VKEY).ok
    assert not (folder / "proofs").exists()


def test_without_a_published_key_the_bundles_own_is_shown_for_comparison(sound) -> None:
    report = verify_bundle(sound)
    assert report.ok
    assert str(VKEY) in report.claims[1].ko
    assert "눈으로 확인" in report.claims[1].ko


# --- the one-file verifier ---------------------------------------------------------------------------------------


def test_the_one_file_verifier_accepts_what_the_room_accepts(sound, sound_with_tiles, log_of_600) -> None:
    for folder in (sound, sound_with_tiles):
        done = run(folder, "--key", str(VKEY))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == verify_bundle(folder, VKEY).text("ko")
    english = run(sound, str(sound), "--lang", "en", "--key", str(VKEY)).stdout
    assert english == verify_bundle(sound, VKEY).text("en")
    done = run(log_of_600, str(log_of_600), "--key", str(VKEY), program=sound / "verify.py")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_one_file_verifier_needs_nothing_of_this_repository(sound, tmp_path) -> None:
    away = shutil.copytree(sound, tmp_path / "away")
    probe = "import sys, runpy; sys.argv=['verify.py']; sys.modules['audit']=None; sys.modules['sqlalchemy']=None;"
    probe += f"runpy.run_path({str(away / 'verify.py')!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, cwd="/", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    imported = [
        line for line in (sound / "verify.py").read_text().splitlines() if line.startswith(("import ", "from "))
    ]
    roots = {line.split()[1].split(".")[0] for line in imported}
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}


def test_the_one_file_verifier_says_what_is_missing(sound, log_of_600) -> None:
    done = run(log_of_600, str(log_of_600), program=sound / "verify.py")
    assert done.returncode == 2
    assert "--key" in done.stderr


def test_the_one_file_verifier_takes_the_key_from_a_file(sound, tmp_path) -> None:
    (tmp_path / "log.pub").write_text(f"{VKEY}\n")
    assert run(sound, "--key", str(tmp_path / "log.pub")).returncode == 0
    assert run(sound, "--key", str(VKEY).replace("ansim", "anzim")).returncode == 2
    other = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    assert run(sound, "--key", other).returncode == 1


def test_two_modules_with_one_name_cannot_become_one_file(tmp_path, monkeypatch) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text('"""x."""\nA, B = 1, 2\nC: int = 3\nD.e = 4\n')
    monkeypatch.setattr(standalone, "VERIFIER", ("one", "two"))
    monkeypatch.setattr(standalone, "__file__", str(tmp_path / "standalone.py"))
    with pytest.raises(LogConflictError, match="A: one, two"):
        standalone.verifier()


# --- tampering, each with its own message --------------------------------------------------------------------------


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_bundle_is_refused_with_its_own_message(copy, sound, name) -> None:
    tamper, code, words = TAMPERINGS[name]
    tamper(copy)
    report = verify_bundle(copy, VKEY)
    assert [claim.code for claim in report.failures] == [code]
    assert words in report.failures[0].en
    assert report.text().endswith("결과: 손상 또는 변조가 발견됨\n")


def test_no_two_kinds_of_tampering_are_refused_with_the_same_words(sound, sound_with_tiles, tmp_path, alone) -> None:
    """Here, and in the bundle's own verifier, word by word."""
    said: dict[str, str] = {}
    kinds = [(sound, name, each) for name, each in TAMPERINGS.items()]
    kinds += [(sound_with_tiles, f"{name} (tiles)", each) for name, each in TAMPERINGS_WITH_TILES.items()]
    for number, (folder, name, (tamper, *_)) in enumerate(kinds):
        copy = Path(shutil.copytree(folder, tmp_path / str(number) / "bundle"))
        tamper(copy)
        report = verify_bundle(copy, VKEY)
        assert alone["verify_bundle"](copy, str(VKEY)).text("ko") == report.text("ko"), name
        said[name] = report.failures[0].en
    assert len(said) > 45
    twice = {words: [name for name, each in said.items() if each == words] for words in said.values()}
    assert {tuple(names) for names in twice.values() if len(names) > 1} == SAME


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """The names of the one-file verifier, in this process."""
    module = types.ModuleType("verifier_alone")
    sys.modules[module.__name__] = module
    exec(compile(standalone.verifier(), "verify.py", "exec"), vars(module))
    return vars(module)


@pytest.mark.parametrize("name", TAMPERINGS_WITH_TILES)
def test_a_bundle_with_tampered_tiles_is_refused(copy_with_tiles, name) -> None:
    tamper, code, words = TAMPERINGS_WITH_TILES[name]
    tamper(copy_with_tiles)
    report = verify_bundle(copy_with_tiles, VKEY)
    assert [claim.code for claim in report.failures] == [code]
    assert words in report.failures[0].en


# --- writing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("indexes", "code"), [([], "audit.bundle-empty"), ([5, 600], "audit.not-in-log")])
def test_a_bundle_that_cannot_be_made_leaves_no_folder(log_of_600, tmp_path, indexes, code) -> None:
    with pytest.raises(AuditError) as caught:
        make(Source(log_of_600, VKEY), tmp_path / "bundle", indexes)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_never_replaces_a_folder(log_of_600, copy) -> None:
    before = sorted(copy.rglob("*"))
    with pytest.raises(AuditError) as caught:
        make(Source(log_of_600, VKEY), copy)
    assert caught.value.code == "audit.bundle-exists"
    assert sorted(copy.rglob("*")) == before


def test_a_reader_names_what_the_log_does_not_have(log_of_600) -> None:
    reader = LogReader(log_of_600)
    with pytest.raises(NotInLogError):
        reader.consistency(601)
    assert [index for index, _ in reader.entries(598, 10_000)] == [598, 599]
