"""Evidence bundles: made from a published log, checked by the room and by their own one-file verifier, attacked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import bundle, standalone
from audit.canonical import encode
from audit.errors import AuditError, LogConflictError, NotInLogError
from audit.note import Checkpoint, Signer
from audit.reader import LogReader
from audit.tiles import Edge, Tile
from audit.verify import verify_bundle
from tests.audit.logs import SIGNER, VKEY, entries, entry

CHOSEN = [*range(250, 261), 599]
PROOF = "proofs/255.tlog-proof"


def make(log: Path, target: Path, indexes=CHOSEN) -> Path:
    bundle.write(target, log_folder=log, vkey=VKEY, indexes=indexes, selection={"project": "P-1"})
    return target


@pytest.fixture(scope="session")
def sound(log_of_600, tmp_path_factory) -> Path:
    return make(log_of_600, tmp_path_factory.mktemp("bundles") / "with-proofs")


@pytest.fixture(scope="session")
def sound_with_tiles(log_of_600, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audit.bundle._PROOFS_UP_TO", 5)
        return make(log_of_600, tmp_path_factory.mktemp("bundles") / "with-tiles")


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
        "anchor.no-witness",
        "bundle.entries",
        "bundle.inclusion",
        "bundle.selection",
    ]
    assert (sound / "entries.jsonl").read_bytes().splitlines() == [entry(index) for index in CHOSEN]
    assert sorted(path.name for path in sound.iterdir()) == [
        "README.txt",
        "checkpoint",
        "entries.jsonl",
        "manifest.json",
        "policy",
        "proofs",
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
    report = verify_bundle(make(log_of_600, tmp_path / "bundle", range(10, 20)), VKEY)
    assert report.claims[-1].code == "bundle.complete"
    assert "10-19" in report.claims[-1].en


def test_a_large_bundle_carries_tiles_and_verifies(log_of_600, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("audit.bundle._PROOFS_UP_TO", 100)
    folder = make(log_of_600, tmp_path / "bundle", range(600))
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


# --- twenty-odd ways to tamper, each with its own message --------------------------------------------------------


def put(folder: Path, name: str, data: bytes | str) -> None:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def relist(folder: Path, **changes: object) -> None:
    """Write the manifest anew so that it fits the tampered files, as a careful forger would."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = [
        [path.relative_to(folder).as_posix(), sha256(path.read_bytes()).hexdigest()]
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    ]
    put(folder, "manifest.json", encode(manifest | changes) + b"\n")


def lines(folder: Path, change) -> None:
    data = (folder / "entries.jsonl").read_bytes().splitlines()
    change(data)
    put(folder, "entries.jsonl", b"\n".join(data) + b"\n")
    relist(folder)


def swap(data) -> None:
    data[0], data[1] = data[1], data[0]


def other_proof(folder: Path) -> None:
    put(folder, PROOF, (folder / "proofs/256.tlog-proof").read_bytes())
    relist(folder)


def wrong_path(folder: Path) -> None:
    text = (folder / PROOF).read_text().split("\n")
    text[2], text[3] = text[3], text[2]
    put(folder, PROOF, "\n".join(text))
    relist(folder)


def other_checkpoint(folder: Path) -> None:
    edge = Edge()
    edge.extend(entries(590))
    text = (folder / PROOF).read_text()
    note = SIGNER.sign(str(Checkpoint(SIGNER.name, edge.size, edge.root())))
    put(folder, PROOF, text[: text.index("\n\n") + 2] + note)
    relist(folder)


def resigned(folder: Path) -> None:
    stranger = Signer(VKEY.name, Ed25519PrivateKey.generate())
    note = stranger.sign((folder / "checkpoint").read_text().split("\n\n")[0] + "\n")
    put(folder, "checkpoint", note)
    put(folder, "policy", f"log {stranger.vkey}\nquorum none\n")
    relist(folder)


def resigned_only(folder: Path) -> None:
    stranger = Signer(VKEY.name, Ed25519PrivateKey.generate())
    put(folder, "checkpoint", stranger.sign((folder / "checkpoint").read_text().split("\n\n")[0] + "\n"))
    relist(folder)


def bigger(folder: Path) -> None:
    put(folder, "checkpoint", (folder / "checkpoint").read_text().replace("\n600\n", "\n601\n"))
    relist(folder)


def forged_line(data) -> None:
    data[3] = data[3].replace(b'"outcome":"done"', b'"outcome":"failed"')


def linked(folder: Path) -> None:
    (folder / "README.txt").rename(folder.parent / "README.txt")
    (folder / "README.txt").symlink_to(folder.parent / "README.txt")


def renumbered(folder: Path) -> None:
    relist(folder, ranges=[[251, 261], [599, 599]])
    for index in range(260, 249, -1):
        (folder / f"proofs/{index}.tlog-proof").rename(folder / f"proofs/{index + 1}.tlog-proof")
    relist(folder, ranges=[[251, 261], [599, 599]])


TAMPERINGS = {
    "manifest missing": (lambda f: (f / "manifest.json").unlink(), "bundle.file-missing", "manifest.json"),
    "manifest not JSON": (lambda f: put(f, "manifest.json", "{"), "bundle.manifest", "JSON"),
    "manifest of another version": (lambda f: relist(f, v=2), "bundle.manifest", "malformed"),
    "manifest without ranges": (lambda f: relist(f, ranges="all"), "bundle.manifest", "malformed"),
    "manifest with a broken range": (lambda f: relist(f, ranges=[[5]]), "bundle.manifest", "malformed"),
    "manifest with a range backwards": (lambda f: relist(f, ranges=[[9, 5]]), "bundle.manifest", "malformed"),
    "manifest with overlapping ranges": (lambda f: relist(f, ranges=[[1, 5], [5, 9]]), "bundle.manifest", "malformed"),
    "manifest without files": (lambda f: relist(f, files={}), "bundle.manifest", "malformed"),
    "manifest with a nameless file": (lambda f: relist(f, files=[["x"]]), "bundle.manifest", "malformed"),
    "manifest without a selection": (lambda f: relist(f, selection=[]), "bundle.manifest", "malformed"),
    "manifest with a number for a text": (lambda f: relist(f, selection={"a": 1}), "bundle.manifest", "malformed"),
    "file missing": (lambda f: (f / PROOF).unlink(), "bundle.file-missing", PROOF),
    "file changed": (lambda f: put(f, "README.txt", "x"), "bundle.file-changed", "README.txt"),
    "file added": (lambda f: put(f, "more.txt", "x"), "bundle.file-extra", "more.txt"),
    "file made a link": (linked, "bundle.file-changed", "README.txt"),
    "verifier changed": (lambda f: put(f, "verify.py", "print('ok')"), "bundle.file-changed", "verify.py"),
    "policy malformed": (lambda f: (put(f, "policy", "quorum none\n"), relist(f)), "bundle.policy", "policy"),
    "policy with two logs": (
        lambda f: (put(f, "policy", f"log {VKEY}\nlog {VKEY}\nquorum none\n"), relist(f)),
        "bundle.policy",
        "policy",
    ),
    "policy with a broken key": (
        lambda f: (put(f, "policy", "log x+y+z\nquorum none\n"), relist(f)),
        "bundle.policy",
        "line 1",
    ),
    "re-signed with another key": (resigned, "bundle.key", "not the trusted one"),
    "checkpoint re-signed": (resigned_only, "audit.untrusted-key", "no signature of the trusted key"),
    "checkpoint claims more": (bigger, "audit.bad-signature", "does not match"),
    "checkpoint gone": (lambda f: ((f / "checkpoint").unlink(), relist(f)), "bundle.file-missing", "checkpoint"),
    "line removed": (lambda f: lines(f, list.pop), "bundle.count", "has 11 lines"),
    "line doubled": (lambda f: lines(f, lambda d: d.append(d[0])), "bundle.count", "has 13 lines"),
    "last line cut": (
        lambda f: (put(f, "entries.jsonl", (f / "entries.jsonl").read_bytes()[:-1]), relist(f)),
        "bundle.count",
        "lines",
    ),
    "range beyond the log": (lambda f: relist(f, ranges=[[250, 260], [600, 600]]), "bundle.range", "beyond"),
    "line not canonical": (
        lambda f: lines(f, lambda d: d.__setitem__(2, b" " + d[2])),
        "bundle.entry-form",
        "Entry 252",
    ),
    "entry twice": (
        lambda f: lines(f, lambda d: d.__setitem__(1, d[0])),
        "bundle.entry-twice",
        "Entry 251 repeats 250",
    ),
    "entry forged": (lambda f: lines(f, forged_line), "bundle.not-in-log", "Entry 253"),
    "entries exchanged": (lambda f: lines(f, swap), "bundle.not-in-log", "Entry 250"),
    "indexes shifted": (renumbered, "bundle.proof-other", "251.tlog-proof"),
    "proof malformed": (lambda f: (put(f, PROOF, "x"), relist(f)), "bundle.proof-form", "entry 255"),
    "proof of another entry": (other_proof, "bundle.proof-other", PROOF),
    "proof under another checkpoint": (other_checkpoint, "bundle.proof-other", PROOF),
    "proof with a wrong path": (wrong_path, "bundle.not-in-log", "Entry 255"),
    "proof gone": (lambda f: ((f / PROOF).unlink(), relist(f)), "bundle.file-missing", PROOF),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_bundle_is_refused_with_its_own_message(copy, sound, name) -> None:
    tamper, code, words = TAMPERINGS[name]
    tamper(copy)
    report = verify_bundle(copy, VKEY)
    assert [claim.code for claim in report.failures] == [code]
    assert words in report.failures[0].en
    assert report.text().endswith("결과: 손상 또는 변조가 발견됨\n")


@pytest.mark.parametrize("name", ["entry forged", "file changed", "proof gone", "re-signed with another key"])
def test_the_one_file_verifier_refuses_with_the_same_words(copy, sound, name) -> None:
    TAMPERINGS[name][0](copy)
    done = run(copy, str(copy), "--lang", "en", "--key", str(VKEY), program=sound / "verify.py")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == verify_bundle(copy, VKEY).text("en")


def flip(folder: Path, tile: Tile, at: int) -> None:
    path = folder / tile.path
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))
    relist(folder)


TAMPERINGS_WITH_TILES = {
    "hash of an entry": (lambda f: flip(f, Tile(0, 0, 256), 250 * 32), "bundle.not-in-log", "Entry 250"),
    "hash of a neighbour": (lambda f: flip(f, Tile(0, 1, 256), 99 * 32), "bundle.not-in-log", "Entry 256"),
    "hash above": (lambda f: flip(f, Tile(1, 0, 2), 32), "bundle.not-in-log", "Entry 250"),
    "tile gone": (lambda f: ((f / Tile(0, 1, 256).path).unlink(), relist(f)), "bundle.tile-missing", "entry 256"),
    "tile cut short": (
        lambda f: (put(f, Tile(0, 0, 256).path, (f / Tile(0, 0, 256).path).read_bytes()[:4096]), relist(f)),
        "bundle.tile-missing",
        "entry 250",
    ),
    "entry forged": (lambda f: lines(f, forged_line), "bundle.not-in-log", "Entry 253"),
}


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
        make(log_of_600, tmp_path / "bundle", indexes)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_never_replaces_a_folder(log_of_600, copy) -> None:
    before = sorted(copy.rglob("*"))
    with pytest.raises(AuditError) as caught:
        make(log_of_600, copy)
    assert caught.value.code == "audit.bundle-exists"
    assert sorted(copy.rglob("*")) == before


def test_a_reader_names_what_the_log_does_not_have(log_of_600) -> None:
    reader = LogReader(log_of_600)
    with pytest.raises(NotInLogError):
        reader.consistency(601)
    assert [index for index, _ in reader.entries(598, 10_000)] == [598, 599]
