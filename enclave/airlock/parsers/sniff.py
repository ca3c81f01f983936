"""What bytes are, by what they say themselves; the name plays no part.

Magic bytes are from each format's specification, as collected in file(1)'s magic.
"""

from __future__ import annotations

import json
import re

from enclave.airlock.parsers.office.package import entry_names

CHECKED_HEAD = 4096
# What pandas and statsmodels write as HTML begins with no head.
FRAGMENT = re.compile(r"<(?:!--|(?:table|style|div|body|head|meta|title|p|h[1-6]|ul|ol|section|pre|center)[\s>])")
TAR_AT, DICOM_AT = 257, 128
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
CONTROLS = bytes(set(range(32)) - {9, 10, 13, 12})

# Magic bytes at the start -> what it is.
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ\x00", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    (b"\x89HDF\r\n\x1a\n", "binary-table"),
    (b"PAR1", "parquet"),
    (b"PARE", "encrypted"),
    (b"ARROW1", "binary-table"),
    (b"\x93NUMPY", "binary-table"),
    (b"SQLite format 3\x00", "binary-table"),
    (b"RDX", "binary-table"),
    (b"$FL2", "binary-table"),
    (b"<stata_dta>", "binary-table"),
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
    (b"age-encryption.org/", "encrypted"),
    (b"-----BEGIN AGE", "encrypted"),
    (b"-----BEGIN PGP", "encrypted"),
    (b"Salted__", "encrypted"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"II*\x00", "picture"),
    (b"MM\x00*", "picture"),
    (b"RIFF", "picture"),
    (b"\x5c\x01\x00\x00", "medical"),
)
# What lies in a zip package -> what it is; the first that fits.
PACKAGES = (
    ("vbaProject.bin", "macros"),
    ("xl/workbook.xml", "xlsx"),
    ("word/document.xml", "docx"),
    ("Contents/content.hpf", "hwpx"),
    ("Contents/section0.xml", "hwpx"),
    ("ppt/presentation.xml", "office"),
    ("xl/workbook.bin", "office"),
    ("content.xml", "office"),
)
# A page may hold drawings, so what begins as a page comes first.
MARKUP = (("<html", "html"), ("<!doctype html", "html"), ("<svg", "svg"), ("<?xml", "xml"), ("<script", "html"))


def sniff(content: bytes) -> str:
    """Say what the bytes are: a kind of `registry.FORMATS`, or one of the refused kinds."""
    for magic, kind in MAGIC:
        # A text may begin with "BM" or "MZ"; it is text unless it holds control bytes.
        if content.startswith(magic) and (len(magic) > 2 or not _is_text(content)):  # noqa: PLR2004 - two-byte magic
            return _sniff_zip(content) if kind == "zip" else kind
    if content[DICOM_AT : DICOM_AT + 4] == b"DICM":
        return "medical"
    if content[TAR_AT : TAR_AT + 5] == b"ustar":
        return "archive"
    return _sniff_text(content) if _is_text(content) else "unknown"


def _sniff_zip(content: bytes) -> str:
    names = entry_names(content)
    return next((kind for end, kind in PACKAGES if any(name.endswith(end) for name in names)), "zip")


def _is_text(content: bytes) -> bool:
    if content.startswith(BYTE_ORDER_MARKS[1:]):
        return True
    return not content.translate(None, delete=bytes(set(range(256)) - set(CONTROLS)))


def _sniff_text(content: bytes) -> str:
    head = _head(content)
    for opening, kind in MARKUP:
        if head.startswith(opening) or (kind == "svg" and head.startswith("<") and opening in head):
            return kind
    if head.startswith("{") and b'"nbformat"' in content and _is_notebook(content):
        return "notebook"
    return "text"


def is_fragment(content: bytes) -> bool:
    """Whether a text begins as a piece of a page; only its ending says that it is meant as one."""
    return FRAGMENT.match(_head(content)) is not None


def _head(content: bytes) -> str:
    return content[:CHECKED_HEAD].lstrip(b"".join(BYTE_ORDER_MARKS)).decode("utf-8", "ignore").lstrip().lower()


def _is_notebook(content: bytes) -> bool:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "nbformat" in found
