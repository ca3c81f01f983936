"""DOCX and HWPX written by hand, so that a test can put anything anywhere in them."""

from __future__ import annotations

import io
import zipfile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
HP = "http://www.hancom.co.kr/hwpml/2011/paragraph"


def packed(entries: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, body in entries.items():
            entry = zipfile.ZipInfo(name)  # without the time of day: the same content makes the same bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, body)
    return out.getvalue()


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def grid(rows: list[list[str]], p: str = "w", run: str = "r") -> str:
    cell = "<{p}:tc><{p}:p><{p}:{run}><{p}:t>{text}</{p}:t></{p}:{run}></{p}:p></{p}:tc>"
    lines = ("".join(cell.format(p=p, run=run, text=text) for text in row) for row in rows)
    return f"<{p}:tbl>" + "".join(f"<{p}:tr>{line}</{p}:tr>" for line in lines) + f"</{p}:tbl>"


RESULTS = [["지역", "n"], ["서울", "120"], ["부산", "44"]]


def docx(body: str = paragraph("결과 요약") + grid(RESULTS), more: dict[str, str | bytes] | None = None) -> bytes:
    return packed({
        "[Content_Types].xml": "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>",
        "_rels/.rels": "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'/>",
        "word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>',
        **(more or {}),
    })  # fmt: skip


def hwpx(body: str | None = None, more: dict[str, str | bytes] | None = None) -> bytes:
    body = f"<hp:p><hp:run><hp:t>결과 요약</hp:t>{grid(RESULTS, 'hp', 'run')}</hp:run></hp:p>" if body is None else body
    return packed({
        "mimetype": "application/hwp+zip",
        "version.xml": '<hv:HCFVersion xmlns:hv="v" application="Hancom Office Hangul"/>',
        "Contents/content.hpf": '<opf:package xmlns:opf="o"><opf:metadata/></opf:package>',
        "Contents/header.xml": '<hh:head xmlns:hh="h"/>',
        "Contents/section0.xml": f'<hs:sec xmlns:hs="s" xmlns:hp="{HP}">{body}</hs:sec>',
        "META-INF/manifest.xml": '<odf:manifest xmlns:odf="m"/>',
        **(more or {}),
    })  # fmt: skip
