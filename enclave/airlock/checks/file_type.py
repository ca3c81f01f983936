"""R62: a file is what its bytes say, its ending must agree, and only plain, passive formats may leave."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from enclave.airlock.checks.findings import block
from enclave.airlock.report import Finding

TEXT_ENDINGS = {".csv": "table", ".tsv": "table", ".json": "table", ".txt": "text", ".md": "text"}
PICTURE_ENDINGS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}
CHECKED_HEAD = 4096
TAR_AT, DICOM_AT = 257, 128
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
CONTROLS = bytes(set(range(32)) - {9, 10, 13, 12})

# Magic bytes at the start -> what it is. From each format's specification (as collected in file(1)'s magic).
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
    (b"PAR1", "binary-table"),
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
MARKUP = (("<svg", "svg"), ("<html", "html"), ("<!doctype html", "html"), ("<?xml", "xml"), ("<script", "html"))


@dataclass(frozen=True)
class Refusal:
    """Why a kind of file may not leave, and what to send instead."""

    ko: str
    en: str


PLAIN = ("표는 CSV로, 그림은 PNG로 저장해 제출하세요.", "Save tables as CSV and pictures as PNG.")
REFUSALS = {
    "pdf": Refusal("PDF는 숨은 내용을 담을 수 있습니다. 그림은 PNG로, 글은 MD/TXT로 제출하세요.",
                   "A PDF can hide content. Submit pictures as PNG and text as MD or TXT."),
    "zip": Refusal("압축 파일·오피스 문서(xlsx, docx)는 받지 않습니다. 시트마다 CSV로 저장해 제출하세요.",
                   "Archives and office files (xlsx, docx) are not taken. Save each sheet as CSV."),
    "archive": Refusal("압축 파일은 받지 않습니다. 풀어서 파일 하나하나를 제출하세요.",
                       "Archives are not taken. Unpack it and submit the files themselves."),
    "office": Refusal("오피스 문서·HWP는 숨은 시트와 매크로를 담을 수 있습니다. CSV나 TXT로 저장해 제출하세요.",
                      "Office and HWP files can hide sheets and macros. Save as CSV or TXT."),
    "binary-table": Refusal("이진 데이터 파일은 원자료를 담을 수 있어 받지 않습니다. 집계한 결과를 CSV로 제출하세요.",
                            "Binary data files may hold raw data. Submit an aggregated CSV."),
    "pickle": Refusal("피클·모델 파일은 원자료와 코드를 담을 수 있어 받지 않습니다. 계수표를 CSV로 제출하세요.",
                      "Pickles and models may hold raw data and code. Submit coefficients as CSV."),
    "encrypted": Refusal("암호화된 파일은 점검할 수 없습니다. 암호화하지 않고 제출하세요.",
                         "An encrypted file cannot be checked. Submit it unencrypted."),
    "program": Refusal("실행 파일은 반출할 수 없습니다.", "Programs may not be taken out."),
    "picture": Refusal("그림은 PNG나 JPEG만 받습니다. PNG로 저장해 제출하세요.",
                       "Pictures must be PNG or JPEG. Save it as PNG."),
    "medical": Refusal("의료영상(DICOM, NIfTI)은 반출할 수 없습니다. 집계 결과나 도표를 제출하세요.",
                       "Medical images (DICOM, NIfTI) may not leave. Submit aggregates or charts."),
    "svg": Refusal("SVG는 점 하나하나의 값을 담습니다. PNG로 저장해 제출하세요.",
                   "An SVG holds the value of every point. Save it as PNG."),
    "html": Refusal("HTML은 자료와 스크립트를 담을 수 있습니다. 표는 CSV, 그림은 PNG로 제출하세요.",
                    "HTML can hold data and scripts. Submit tables as CSV, pictures as PNG."),
    "xml": Refusal("XML은 받지 않습니다. " + PLAIN[0], "XML is not taken. " + PLAIN[1]),
    "notebook": Refusal("노트북은 출력에 원자료를 담을 수 있습니다. 결과 표는 CSV, 그림은 PNG로 제출하세요.",
                        "A notebook's outputs may hold raw data. Submit tables as CSV, pictures as PNG."),
    "unknown": Refusal("알 수 없는 형식입니다. " + PLAIN[0], "The format is unknown. " + PLAIN[1]),
}  # fmt: skip


def check_file_type(content: bytes, name: str) -> list[Finding]:
    """Return the finding that stops a file of the wrong type; nothing when bytes and ending agree and are allowed."""
    ending = PurePosixPath(name).suffix.lower()
    found = sniff(content)
    if found in REFUSALS:
        refusal = REFUSALS[found]
        return [block(f"type.{found}", refusal.ko, refusal.en)]
    expected = "text" if ending in TEXT_ENDINGS else PICTURE_ENDINGS.get(ending)
    if expected is None:
        return [
            block("type.ending", f"확장자 {_shown(ending)}은(는) 받지 않습니다. {PLAIN[0]}",
                  f"The ending {_shown(ending)} is not taken. {PLAIN[1]}")
        ]  # fmt: skip
    if expected != found:
        return [
            block("type.mismatch", f"확장자는 {ending}인데 내용은 {found}입니다. 내용에 맞는 확장자로 제출하세요.",
                  f"The ending says {ending}, the content is {found}. Use the ending of what it is.")
        ]  # fmt: skip
    return []


def sniff(content: bytes) -> str:
    """Say what the bytes are: ``text``, ``png``, ``jpeg``, or one of the refused kinds."""
    for magic, kind in MAGIC:
        # A text may begin with "BM" or "MZ"; it is text unless it holds control bytes.
        if content.startswith(magic) and (len(magic) > 2 or not _is_text(content)):  # noqa: PLR2004 - two-byte magic
            return kind
    if content[DICOM_AT : DICOM_AT + 4] == b"DICM":
        return "medical"
    if content[TAR_AT : TAR_AT + 5] == b"ustar":
        return "archive"
    return _sniff_text(content) if _is_text(content) else "unknown"


def _is_text(content: bytes) -> bool:
    if content.startswith(BYTE_ORDER_MARKS[1:]):
        return True
    return not content.translate(None, delete=bytes(set(range(256)) - set(CONTROLS)))


def _sniff_text(content: bytes) -> str:
    head = content[:CHECKED_HEAD].lstrip(b"".join(BYTE_ORDER_MARKS)).decode("utf-8", "ignore").lstrip().lower()
    for opening, kind in MARKUP:
        if head.startswith(opening) or (kind == "svg" and opening in head):
            return kind
    if head.startswith("{") and _is_notebook(content):
        return "notebook"
    return "text"


def _is_notebook(content: bytes) -> bool:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "nbformat" in found


def _shown(ending: str) -> str:
    return ending[:12] if ending.isprintable() and ending else "(없음/none)"
