"""A zip package as office files are (ECMA-376 part 2, OWPML): opened once, whole, and only if nothing is odd about it.

Everything is refused that could make a reader see other bytes than another reader: entries twice, gaps between entries,
names that differ in the two directories, bytes behind the end; and what is made to break readers: high ratios, many
entries, archives inside, document type declarations and entities in XML.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from enclave.airlock.parsers.looks import odd_looks
from enclave.airlock.parsers.refused import ParseRefused

MEBIBYTE = 1 << 20
MAX_ENTRIES, MAX_TOTAL, MAX_XML = 2_000, 256 * MEBIBYTE, 48 * MEBIBYTE
# Deflate reaches 1,032 : 1; sheets of the same number over and over reach some forty.
MAX_RATIO, SMALL = 100, 1 * MEBIBYTE
ENCRYPTED, DESCRIPTOR = 0x1, 0x8
LOCAL_HEADER, DESCRIPTORS = 30, frozenset({12, 16, 20, 24})
END_BYTES, MAX_EXTRA = 22, 64
LONGEST_NAMESPACE = 160
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# NotImplementedError: what a newer version of the format says of itself. IndexError: an entry without any name.
BROKEN_ZIP = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, NotImplementedError, IndexError,
)  # fmt: skip
XML_ENDINGS = (".xml", ".rels", ".vml", ".hpf", ".rdf")


def damaged() -> ParseRefused:
    """Return the refusal of a package that is broken or ambiguous."""
    return ParseRefused(
        "parse.zip",
        "문서 파일의 구조가 온전하지 않습니다. 프로그램에서 새로 저장하거나 CSV·TXT로 제출하세요.",
        "The structure of this office file is not sound. Save it anew, or submit CSV or TXT.",
    )


def bomb() -> ParseRefused:
    """Return the refusal of a package that would unfold to far more than it is."""
    return ParseRefused(
        "parse.bomb",
        f"풀면 지나치게 커지는 파일입니다({MAX_RATIO}:1, {MAX_TOTAL // MEBIBYTE} MiB까지). 내용을 줄여 제출하세요.",
        f"It unfolds to too much (at most {MAX_RATIO}:1 and {MAX_TOTAL // MEBIBYTE} MiB). Submit less.",
    )


@dataclass(frozen=True)
class Package:
    """The entries of a package by name, read whole. Folders are left out."""

    entries: dict[str, bytes]

    def xml(self, name: str) -> Element:
        """Return the root of an XML entry. Raises `ParseRefused`; also for a DTD, and for a missing entry."""
        content = self.entries.get(name)
        if content is None:
            raise damaged()
        return read_xml(content)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All names in the order of the package."""
        return tuple(self.entries)


class _Builder(TreeBuilder):
    """Sees the names of namespaces, which no element shows."""

    def start_ns(self, prefix: str, uri: str) -> None:
        """Raise `ParseRefused` for a namespace that is the name of none."""
        if len(prefix) + len(uri) > LONGEST_NAMESPACE or any(odd_looks(prefix, uri)):
            raise damaged()


def open_package(content: bytes) -> Package:
    """Read a zip file whole. Raises `ParseRefused`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as found:
            infos = found.infolist()
            _check_directory(content, infos, found.start_dir)
            return Package({info.filename: _read(found, info) for info in infos if not info.is_dir()})
    except BROKEN_ZIP:
        raise damaged() from None


def entry_names(content: bytes) -> frozenset[str]:
    """Return the names in a zip file's directory; none when it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as found:
            return frozenset(found.namelist()[:MAX_ENTRIES])
    except (zipfile.BadZipFile, struct.error, ValueError, OSError, NotImplementedError):
        return frozenset()


def read_xml(content: bytes) -> Element:
    """Parse XML with its comments, without entities or a DTD. Raises `ParseRefused`."""
    if len(content) > MAX_XML:
        raise bomb()
    parser = DefusedXMLParser(target=_Builder(insert_comments=True, insert_pis=True), forbid_dtd=True)
    try:
        parser.feed(content)
        root = parser.close()
    except DefusedXmlException:
        raise ParseRefused(
            "parse.xml",
            "XML에 엔티티나 DTD 선언이 있습니다. 프로그램에서 새로 저장해 제출하세요.",
            "The XML declares entities or a DTD. Save the file anew and submit again.",
        ) from None
    except (ParseError, ValueError, LookupError):
        raise damaged() from None
    if not isinstance(root, Element):
        raise damaged()
    return root


def is_archive(content: bytes) -> bool:
    """Whether bytes are an archive or a compound file of their own."""
    return content.startswith(ARCHIVES) or content.startswith(OLE)


def is_xml(name: str) -> bool:
    """Whether an entry is XML by its name."""
    return name.lower().endswith(XML_ENDINGS)


def _read(found: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with found.open(info) as stream:
        content = stream.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise damaged()
    return content


def _check_directory(content: bytes, infos: list[zipfile.ZipInfo], start_of_directory: int) -> None:
    if len(infos) > MAX_ENTRIES or sum(info.file_size for info in infos) > MAX_TOTAL:
        raise bomb()
    if len({info.filename for info in infos}) != len(infos):
        raise damaged()
    for info in infos:
        if info.flag_bits & ENCRYPTED:
            raise ParseRefused(
                "type.encrypted",
                "암호가 걸린 문서는 점검할 수 없습니다. 암호를 풀고 저장해 제출하세요.",
                "An encrypted document cannot be checked. Save it without a password and submit again.",
            )
        if info.file_size > SMALL and info.file_size > MAX_RATIO * max(1, info.compress_size):
            raise bomb()
    if any(start != end for start, end in _gaps(content, infos, start_of_directory)) or _rest(content):
        raise damaged()


def _gaps(content: bytes, infos: list[zipfile.ZipInfo], end: int) -> Iterator[tuple[int, int]]:
    """Yield, for each entry, where it ends and where the next one begins; equal unless bytes hide between them."""
    order = sorted(infos, key=lambda info: info.header_offset)
    yield 0, order[0].header_offset if order else end
    for info, following in zip(order, [*(one.header_offset for one in order[1:]), end], strict=True):
        name_size, extra_size = struct.unpack_from("<HH", content, info.header_offset + 26)
        extra = content[info.header_offset + LOCAL_HEADER + name_size :][:extra_size]
        if info.comment or max(len(extra.strip(b"\0")), len(info.extra)) > MAX_EXTRA:
            raise damaged()  # Word pads with zeros; more than a time stamp is a place to hide bytes
        after = info.header_offset + LOCAL_HEADER + name_size + extra_size + info.compress_size
        if info.flag_bits & DESCRIPTOR and following - after in DESCRIPTORS:
            after = following
        yield after, following


def _rest(content: bytes) -> bool:
    # An end record of 22 bytes without a comment, and nothing behind it.
    return content[-END_BYTES : -END_BYTES + 4] != b"PK\x05\x06"
