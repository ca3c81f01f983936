"""Source archives, unpacked in the sealed child: zip, tar, tar.gz, tar.bz2, tar.xz; plain files, or a refusal.

korea.md R36. Everything that could mean two things, or more than it seems, is refused and named: links, devices,
absolute paths, the same name twice (also when only the case differs), encryption, an archive in an archive, bytes
that belong to no member, more than 100 times the archive's size.
"""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from enclave.airlock.incoming.limits import ImportLimits
from enclave.airlock.incoming.paths import safe_path
from enclave.airlock.parsers.office.package import BROKEN_ZIP
from enclave.airlock.parsers.refused import ParseRefused

PIECE = 1 << 16
# Below this a member of zeros is no bomb, however well it is packed.
SMALL = 1 << 16
SYMLINK, FILE_TYPE = 0o120000, 0o170000
UNIX_TYPES = {0, 0o100000, 0o040000}
ENCRYPTED = 0x1
PACKED = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
)
TAR_AT, GZIP, XZ_MEMORY = 257, 31, 128 << 20


BROKEN = (*BROKEN_ZIP, tarfile.TarError, lzma.LZMAError)


@dataclass(frozen=True)
class Member:
    """One file of an archive: its path with `/` between the parts, and its content."""

    path: str
    content: bytes


def is_archive(content: bytes) -> bool:
    """Whether the bytes are packed in any of the usual ways, taken or not."""
    return content.startswith(PACKED) or content[TAR_AT : TAR_AT + 5] == b"ustar"


def ends_as_archive(content: bytes) -> bool:
    """Whether a zip stands at the end, whatever is before it: Python runs such a file, others open it as a zip."""
    return zipfile.is_zipfile(io.BytesIO(content))


def unpack(content: bytes, limits: ImportLimits) -> tuple[Member, ...]:
    """Return the members in the order of their paths. Raises `ParseRefused` (`import.archive`, `import.bomb` …)."""
    budget = _Budget(limits, len(content))
    try:
        if content.startswith(b"PK"):
            found = list(_zip(content, budget))
        else:
            found = list(_tar(_plain(content, budget), budget))
    except BROKEN as error:
        raise _refused("damaged", "풀 수 없는 압축 파일입니다", "the archive cannot be unpacked") from error
    _check_paths([member.path for member in found])
    return tuple(sorted(found, key=lambda member: member.path))


@dataclass
class _Budget:
    """What may still come out of one archive."""

    limits: ImportLimits
    packed: int
    unpacked: int = 0
    members: int = 0

    def count(self, size: int) -> None:
        self.unpacked += size
        most = min(self.limits.max_unpacked, max(self.packed * self.limits.ratio, SMALL))
        most_mib = self.limits.max_unpacked >> 20
        if self.unpacked > most:
            raise ParseRefused(
                "import.bomb",
                f"풀면 원래 크기의 {self.limits.ratio}배 또는 {most_mib} MiB를 넘습니다(R36). 나누어 올리세요.",
                f"It unpacks to more than {self.limits.ratio} times its size or {most_mib} MiB (R36). Split it.",
            )

    def member(self) -> None:
        self.members += 1
        if self.members > self.limits.max_members:
            raise _refused("members", f"파일이 {self.limits.max_members:,}개를 넘습니다", "too many files")


def _zip(content: bytes, budget: _Budget) -> Iterator[Member]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if min((entry.header_offset for entry in archive.infolist()), default=0):
            raise _refused("before", "압축 파일 앞에 다른 내용이 있습니다", "something stands before the archive")
        for entry in archive.infolist():
            budget.member()
            _check_entry(entry)
            if entry.is_dir():
                continue
            pieces = []
            with archive.open(entry) as file:
                while piece := file.read(PIECE):
                    budget.count(len(piece))
                    pieces.append(piece)
            yield _member(entry.filename, b"".join(pieces))


def _check_entry(entry: zipfile.ZipInfo) -> None:
    kind = (entry.external_attr >> 16) & FILE_TYPE
    if kind == SYMLINK or kind not in UNIX_TYPES:
        raise _link(entry.filename)
    if entry.flag_bits & ENCRYPTED:
        raise _refused("encrypted", "암호가 걸린 압축 파일입니다", "the archive is encrypted")
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise _refused("method", "보통의 zip 압축(deflate)이 아닙니다", "not packed by deflate")


def _plain(content: bytes, budget: _Budget) -> bytes:
    """Return a tar's own bytes: what the outer packing holds, bounded while it is unpacked."""
    if content.startswith(b"\x1f\x8b"):
        whole = _joined(_inflated(content), budget)
    elif content.startswith(b"BZh"):
        whole = _joined(_unpacked(bz2.BZ2Decompressor(), content), budget)
    elif content.startswith(b"\xfd7zXZ\x00"):
        whole = _joined(_unpacked(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY), content), budget)
    else:
        return content
    budget.unpacked = 0  # counted again, file by file
    return whole


def _joined(pieces: Iterator[bytes], budget: _Budget) -> bytes:
    found = []
    for piece in pieces:
        budget.count(len(piece))
        found.append(piece)
    return b"".join(found)


def _inflated(content: bytes) -> Iterator[bytes]:
    unpacker, end = zlib.decompressobj(GZIP), 0
    for start in range(0, len(content), PIECE):
        end = min(start + PIECE, len(content))
        waiting = content[start:end]
        while waiting and not unpacker.eof:
            yield unpacker.decompress(waiting, PIECE)
            waiting = unpacker.unconsumed_tail
        if unpacker.eof:
            break
    _check_end(unpacker.eof, bool(unpacker.unused_data) or end < len(content))


def _unpacked(unpacker: bz2.BZ2Decompressor | lzma.LZMADecompressor, content: bytes) -> Iterator[bytes]:
    yield unpacker.decompress(content, PIECE)
    while not unpacker.eof and not unpacker.needs_input:
        yield unpacker.decompress(b"", PIECE)
    _check_end(unpacker.eof, bool(unpacker.unused_data))


def _check_end(ended: bool, more: bool) -> None:  # noqa: FBT001 - two facts
    if not ended:
        raise EOFError
    if more:
        raise _refused("behind", "압축 파일 뒤에 다른 내용이 있습니다", "something stands behind the archive")


def _tar(content: bytes, budget: _Budget) -> Iterator[Member]:
    if content[TAR_AT : TAR_AT + 5] != b"ustar":
        raise _refused("kind", "tar 또는 zip이 아닙니다", "neither tar nor zip")
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for entry in archive:
            budget.member()
            if entry.isdir():
                continue
            if not entry.isreg() or entry.issparse() or entry.type not in {tarfile.REGTYPE, tarfile.AREGTYPE}:
                raise _link(entry.name)
            budget.count(entry.size)
            file = archive.extractfile(entry)
            found = file.read() if file else b""
            if len(found) != entry.size:
                raise EOFError
            yield _member(entry.name, found)


def _member(path: str, content: bytes) -> Member:
    path = safe_path(path.removeprefix("./"))
    if is_archive(content):
        raise _refused(
            "nested", f"압축 파일 안에 압축 파일이 있습니다: {path!a}(R36)", f"an archive inside: {path!a} (R36)"
        )
    return Member(path, content)


def _check_paths(paths: Iterable[str]) -> None:
    """Raise `ParseRefused` if a name stands twice, or a file stands where others need a folder."""
    paths = list(paths)
    folded = [path.casefold() for path in paths]
    seen = set(folded)
    folders = {path[:at] for path in seen for at, letter in enumerate(path) if letter == "/"}
    if not paths:
        raise _refused("empty", "파일이 하나도 없습니다", "there is no file in it")
    if len(seen) != len(folded) or seen & folders:
        raise _refused("twice", "같은 이름이 두 번 있습니다", "a name stands twice")


def _link(path: str) -> ParseRefused:
    return _refused("link", f"링크나 장치가 있습니다: {path[:80]!a}", f"a link or a device: {path[:80]!a}")


def _refused(what: str, ko: str, en: str) -> ParseRefused:
    return ParseRefused(
        "import.archive",
        f"받을 수 없는 압축 파일입니다: {ko}. 소스 파일만 담은 zip이나 tar.gz로 다시 만들어 올리세요.",
        f"The archive is not taken ({what}): {en}. Make a zip or tar.gz of plain source files.",
    )
