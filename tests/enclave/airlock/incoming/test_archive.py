"""Source archives: what is plain comes out whole, everything that could mean more is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from enclave.airlock.incoming.archive import unpack
from enclave.airlock.incoming.limits import ImportLimits
from enclave.airlock.incoming.paths import safe_path
from enclave.airlock.parsers.refused import ParseRefused

LIMITS = ImportLimits(max_members=50, max_unpacked=4 << 20)
TREE = {"README.md": b"# hi\n", "src/a.py": b"x = 1\n", "src/b/c.R": b"x <- 1\n"}


def zipped(tree: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for path, content in tree.items():
            archive.writestr(zipfile.ZipInfo(path) if method == zipfile.ZIP_STORED else path, content)
    return made.getvalue()


def tarred(tree: dict[str, bytes], change: Callable[[tarfile.TarInfo], object] = lambda entry: None) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, content in tree.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            change(entry)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


PACKED = {
    "zip": zipped(TREE),
    "stored zip": zipped(TREE, zipfile.ZIP_STORED),
    "tar": tarred(TREE),
    "tar with ./": tarred({f"./{path}": content for path, content in TREE.items()}),
    "tar.gz": gzip.compress(tarred(TREE)),
    "tar.bz2": bz2.compress(tarred(TREE)),
    "tar.xz": lzma.compress(tarred(TREE)),
}


@pytest.mark.parametrize("how", PACKED)
def test_a_plain_archive_comes_out_as_it_was_packed(how: str) -> None:
    assert {member.path: member.content for member in unpack(PACKED[how], LIMITS)} == TREE


def link(entry: tarfile.TarInfo) -> None:
    entry.type, entry.linkname, entry.size = tarfile.SYMTYPE, "/etc/passwd", 0


def hard_link(entry: tarfile.TarInfo) -> None:
    entry.type, entry.linkname, entry.size = tarfile.LNKTYPE, "a.py", 0


def device(entry: tarfile.TarInfo) -> None:
    entry.type, entry.size = tarfile.CHRTYPE, 0


def zip_link() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo("a")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return made.getvalue()


def encrypted() -> bytes:
    data = bytearray(zipped({"a.py": b"x"}))
    for head, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", data, data.index(head) + at, 1)
    return bytes(data)


def renamed(data: bytes, before: bytes, after: bytes) -> bytes:
    assert len(before) == len(after)
    return data.replace(before, after)


BAD: dict[str, tuple[bytes, str]] = {
    "a zip in a zip": (zipped({"a.zip": zipped(TREE)}), "import.archive"),
    "a zip with another ending in a zip": (zipped({"a.py": zipped(TREE)}), "import.archive"),
    "a tar in a zip": (zipped({"a.py": tarred(TREE)}), "import.archive"),
    "a gzip in a tar": (tarred({"a.py": gzip.compress(b"x")}), "import.archive"),
    "a link in a zip": (zip_link(), "import.archive"),
    "a link in a tar": (tarred({"a": b""}, link), "import.archive"),
    "a hard link": (tarred({"a.py": b"", "b": b""}, hard_link), "import.archive"),
    "a device": (tarred({"a": b""}, device), "import.archive"),
    "an absolute path": (tarred({"/etc/passwd": b"x"}), "import.path"),
    "a way up": (tarred({"a/../../b": b"x"}), "import.path"),
    "a way up in a zip": (renamed(zipped({"aa/b": b"x"}), b"aa/b", b"../b"), "import.path"),
    "a backslash": (tarred({"a\\b": b"x"}), "import.path"),
    "a drive": (tarred({"C:a": b"x"}), "import.path"),
    "a line end in a name": (tarred({"a\nb": b"x"}), "import.path"),
    "letters that turn a name around": (tarred({"a\u202eyp.exe": b"x"}), "import.path"),
    "too deep": (tarred({"/".join("abcdefghijklmn"): b"x"}), "import.path"),
    "the same name twice": (renamed(zipped({"a.py": b"x", "b.py": b"y"}), b"b.py", b"a.py"), "import.archive"),
    "the same name but for its case": (zipped({"a.py": b"x", "A.PY": b"y"}), "import.archive"),
    "a file where a folder is": (tarred({"a": b"x", "a/b": b"y"}), "import.archive"),
    "encrypted": (encrypted(), "import.archive"),
    "another packing": (zipped({"a.py": b"x"}, zipfile.ZIP_LZMA), "import.archive"),
    "something before": (b"#!/bin/sh\nexec unzip $0\n" + zipped(TREE), "import.archive"),
    "something behind a gzip": (gzip.compress(tarred(TREE)) + b"more", "import.archive"),
    "something behind an xz": (lzma.compress(tarred(TREE)) + b"more", "import.archive"),
    "cut short": (gzip.compress(tarred(TREE))[:-40], "import.archive"),
    "cut short, bz2": (bz2.compress(tarred(TREE))[:-40], "import.archive"),
    "a cut zip": (zipped(TREE)[:-30], "import.archive"),
    "a gzip of no tar": (gzip.compress(b"x" * 10_000), "import.archive"),
    "nothing in it": (zipped({}), "import.archive"),
    "too many files": (tarred({f"{number}.py": b"" for number in range(51)}), "import.archive"),
    "a bomb of zeros": (zipped({"a.py": bytes(3 << 20)}), "import.bomb"),
    "a bomb in gzip": (gzip.compress(tarred({"a.py": bytes(3 << 20)})), "import.bomb"),
    "a bomb in bz2": (bz2.compress(tarred({"a.py": bytes(3 << 20)})), "import.bomb"),
    "a bomb in xz": (lzma.compress(tarred({"a.py": bytes(3 << 20)})), "import.bomb"),
    "a bomb of many": (zipped({f"{n}.py": bytes(1 << 18) for n in range(40)}), "import.bomb"),
    "large": (tarred({"a.py": bytes(5 << 20)}), "import.bomb"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_more_than_plain_files_is_refused(case: str) -> None:
    content, rule = BAD[case]
    with pytest.raises(ParseRefused) as refused:
        unpack(content, LIMITS)
    assert refused.value.rule == rule


@given(st.binary(max_size=3000), st.sampled_from([b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00", b""]))
def test_any_bytes_are_refused_or_unpacked_and_nothing_else(content: bytes, head: bytes) -> None:
    with suppress(ParseRefused):
        unpack(head + content, LIMITS)


@given(st.sampled_from(sorted(PACKED)), st.integers(0, 2000), st.integers(0, 255))
@example("zip", 146, 64)  # a version of the format that nobody reads yet
@example("stored zip", 1249, 0)  # an entry without any name
def test_one_changed_byte_breaks_nothing_but_the_archive(how: str, at: int, value: int) -> None:
    data = bytearray(PACKED[how])
    data[at % len(data)] = value
    with suppress(ParseRefused):
        unpack(bytes(data), LIMITS)


@pytest.mark.parametrize("path", ["a", "가나/다.py", "a b/c", ".gitignore", "src/.hidden"])
def test_a_plain_path_is_taken(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path", ["", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "~\x00", " a", "a ", "a.", "a/ ", "a\x7f", "\u1100\u1161"]
)
def test_a_path_that_could_be_read_in_two_ways_is_not(path: str) -> None:
    with pytest.raises(ParseRefused):
        safe_path(path)
