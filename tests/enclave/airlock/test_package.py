"""A package holds exactly what was approved, opens only with its key, and shows every change."""

from __future__ import annotations

import io
import json
import secrets
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.airlock.encryption import CHUNK, MAX_HEADER, TAG, Encrypter, ReleaseKey, decrypt, read_header
from enclave.airlock.errors import PackageDamaged, StoredFileDamaged, StoredFileMissing
from enclave.airlock.package import Approved, Labels, build, decrypt_to, open_content, safe_names
from enclave.airlock.quarantine import Quarantine

KEY = bytes(range(32))
LOCK = ReleaseKey("k1", KEY)
LABELS = Labels(request_id="r-1", project_id="p-1", receiver="주식회사 가나", released_at="2026-11-24T00:00:00Z")


def encrypted(content: bytes, key: bytes = KEY) -> bytes:
    out = io.BytesIO()
    encrypter = Encrypter(out, ReleaseKey("k1", key))
    encrypter.write(content)
    encrypter.close()
    return out.getvalue()


def decrypted(package: bytes, key: bytes = KEY) -> bytes:
    return b"".join(decrypt(io.BytesIO(package), key))


@given(
    size=st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7]),
    cut=st.integers(1000, 3 * CHUNK),
)
def test_what_was_encrypted_in_any_pieces_comes_back(size: int, cut: int) -> None:
    content = secrets.token_bytes(size)
    out = io.BytesIO()
    encrypter = Encrypter(out, LOCK)
    for start in range(0, size, cut):
        encrypter.write(content[start : start + cut])
    encrypter.close()
    assert decrypted(out.getvalue()) == content


def parts(package: bytes) -> tuple[bytes, list[bytes]]:
    header = package[: package.index(b"\n", package.index(b"\n") + 1) + 1]
    body = package[len(header) :]
    return header, [body[at : at + CHUNK + TAG] for at in range(0, len(body), CHUNK + TAG)]


def cut_last_chunk(package: bytes) -> bytes:
    header, chunks = parts(package)
    return header + b"".join(chunks[:-1])


def cut_one_byte(package: bytes) -> bytes:
    return package[:-1]


def cut_everything(package: bytes) -> bytes:
    return parts(package)[0]


def swap_chunks(package: bytes) -> bytes:
    header, chunks = parts(package)
    return header + chunks[1] + chunks[0] + b"".join(chunks[2:])


def repeat_a_chunk(package: bytes) -> bytes:
    header, chunks = parts(package)
    return header + chunks[0] + b"".join(chunks)


def append_bytes(package: bytes) -> bytes:
    return package + b"x"


def append_another_package(package: bytes) -> bytes:
    return package + b"".join(parts(package)[1])


def rename_the_key(package: bytes) -> bytes:
    return package.replace(b'"k1"', b'"k2"')


def change_the_salt(package: bytes) -> bytes:
    at = package.index(b'"salt":"') + 8
    return package[:at] + (b"0" if package[at : at + 1] != b"0" else b"1") + package[at + 1 :]


def respell_the_header(package: bytes) -> bytes:
    return package.replace(b'{"algorithm"', b'{ "algorithm"')


def take_chunks_of_another_package(package: bytes) -> bytes:
    return parts(package)[0] + b"".join(parts(encrypted(b"y" * (2 * CHUNK + 5)))[1])


@pytest.mark.parametrize(
    "damage",
    [
        cut_last_chunk,
        cut_one_byte,
        cut_everything,
        swap_chunks,
        repeat_a_chunk,
        append_bytes,
        append_another_package,
        rename_the_key,
        change_the_salt,
        respell_the_header,
        take_chunks_of_another_package,
    ],
)
def test_a_changed_package_does_not_open(damage: Callable[[bytes], bytes]) -> None:
    package = encrypted(b"x" * (2 * CHUNK + 5))
    assert damage(package) != package
    with pytest.raises(PackageDamaged):
        decrypted(damage(package))


@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_no_bit_can_be_flipped(at: int, bit: int) -> None:
    package = bytearray(encrypted(b"approved results"))
    package[at % len(package)] ^= 1 << bit
    with pytest.raises(PackageDamaged):
        decrypted(bytes(package))


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(PackageDamaged):
        decrypted(encrypted(b"x"), key=bytes(32))


def test_the_same_content_is_never_encrypted_the_same_way_twice() -> None:
    first, second = encrypted(b"x" * 100), encrypted(b"x" * 100)
    assert parts(first)[1] != parts(second)[1]
    assert read_header(io.BytesIO(first)).key_id == "k1"


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(33)])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encrypted(b"x", key=key)


def test_a_key_id_that_does_not_fit_the_header_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        Encrypter(io.BytesIO(), ReleaseKey("k" * MAX_HEADER, KEY))


@pytest.fixture
def quarantine(tmp_path: Path) -> Quarantine:
    return Quarantine(tmp_path / "quarantine")


def approve(quarantine: Quarantine, name: str, content: bytes) -> Approved:
    return Approved(name, quarantine.put(io.BytesIO(content)).sha256)


def test_a_package_holds_the_approved_bytes_and_a_manifest(quarantine: Quarantine, tmp_path: Path) -> None:
    files = [approve(quarantine, "결과.csv", b"n\n100\n"), approve(quarantine, "figure.png", b"\x89PNG" * 400_000)]
    package = build(tmp_path / "r-1.release", files, LABELS, quarantine=quarantine, key=LOCK)
    opened = io.BytesIO()
    with (tmp_path / "r-1.release").open("rb") as source:
        assert decrypt_to(source, opened, KEY) == package.content_sha256
    with zipfile.ZipFile(opened) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["결과.csv", "figure.png", "manifest.json"]
        assert archive.read("결과.csv") == b"n\n100\n"
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["receiver"] == "주식회사 가나"
    assert [file["sha256"] for file in manifest["files"]] == [file.sha256 for file in files]
    assert (tmp_path / "r-1.release").stat().st_size == package.size
    assert stat.S_IMODE((tmp_path / "r-1.release").stat().st_mode) == 0o600
    assert b"n\n100" not in (tmp_path / "r-1.release").read_bytes()


def test_the_same_release_built_twice_has_the_same_content(quarantine: Quarantine, tmp_path: Path) -> None:
    files = [approve(quarantine, "a.csv", b"n\n100\n")]
    built = [build(tmp_path / name, files, LABELS, quarantine=quarantine, key=LOCK) for name in ("one", "two")]
    assert built[0].content_sha256 == built[1].content_sha256
    assert built[0].sha256 != built[1].sha256
    assert b"".join(open_content(tmp_path / "one", KEY)) == b"".join(open_content(tmp_path / "two", KEY))


def lose(quarantine: Quarantine, file: Approved) -> None:
    quarantine.discard(file.sha256)


def swap(quarantine: Quarantine, file: Approved) -> None:
    quarantine.path(file.sha256).write_bytes(b"name,phone\n")


@pytest.mark.parametrize(("harm", "error"), [(lose, StoredFileMissing), (swap, StoredFileDamaged)])
def test_nothing_is_built_from_files_that_are_not_what_was_approved(quarantine, tmp_path, harm, error) -> None:
    files = [approve(quarantine, "a.csv", b"n\n100\n"), approve(quarantine, "b.csv", b"n\n200\n")]
    harm(quarantine, files[1])
    (tmp_path / "releases").mkdir()
    with pytest.raises(error):
        build(tmp_path / "releases" / "x", files, LABELS, quarantine=quarantine, key=LOCK)
    assert list((tmp_path / "releases").iterdir()) == []


def test_a_release_without_files_is_refused(quarantine: Quarantine, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        build(tmp_path / "x", [], LABELS, quarantine=quarantine, key=LOCK)


@pytest.mark.parametrize(
    ("given_names", "expected"),
    [
        (["a.csv", "a.csv", "A.CSV"], ["a.csv", "a (2).csv", "A (3).CSV"]),
        (["../../etc/passwd"], ["_.._etc_passwd"]),
        (["manifest.json"], ["manifest (2).json"]),
        (["a\nb.csv", "", "..", "\udcff.csv"], ["a_b.csv", "file", "file (2)", "_.csv"]),
        (["C:\\x.csv"], ["C__x.csv"]),
    ],
)
def test_names_in_the_zip_are_plain_and_distinct(given_names: list[str], expected: list[str]) -> None:
    assert safe_names(given_names) == expected


@given(names=st.lists(st.text(max_size=8), max_size=6))
def test_no_name_leaves_the_folder_or_meets_another(names: list[str]) -> None:
    plain = safe_names(names)
    assert len({name.casefold() for name in plain}) == len(names)
    assert not any("/" in name or "\\" in name or name in {".", "..", ""} for name in plain)
