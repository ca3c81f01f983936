"""HWPX (KS X 6101, OWPML): the text, tables and pictures of a Hangul document, and what a reader of it does not see."""

from __future__ import annotations

from collections.abc import Iterator

from enclave.airlock.document import Document, Embedded, Part
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.office import seen
from enclave.airlock.parsers.office.flow import local, odd_text, read_flow
from enclave.airlock.parsers.office.package import Package, damaged, open_package
from enclave.airlock.parsers.office.word import remarks
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

MANIFEST, INDEX = "META-INF/manifest.xml", "Contents/content.hpf"
PREVIEW_TEXT, PREVIEW_PICTURE = "Preview/PrvText.txt", "Preview/PrvImage.png"
PLAIN = ("mimetype", PREVIEW_TEXT, "Scripts/")
TRACKED = frozenset({"insertBegin", "deleteBegin", "trackChange"})


def parse_hwpx(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read an HWPX file. Raises `ParseRefused`."""
    del name, rules
    package = open_package(content)
    _check_open(package)
    sections = sorted(one for one in package.names if one.startswith("Contents/section") and one.endswith(".xml"))
    if not sections:
        raise damaged()
    flows = [read_flow(package.xml(one)) for one in sections]
    findings = [*_makers(package), *seen.links(package), *seen.unreadable(package, PLAIN)]
    findings += [one for flow in flows for one in remarks(flow)]
    if any(flow.seen[name] for flow in flows for name in TRACKED) or _has_changes(package):
        findings.append(_tracked())
    findings += [seen.macros("Scripts") for one in package.names if one.startswith("Scripts/") and _does(package, one)]
    kept = [*_other_texts(package), *seen.link_texts(package), *_preview(package)]
    parts = [Part("문서 속성·미리보기", Document("text", text="\n".join(kept)))] if any(map(str.strip, kept)) else []
    return Document(
        "document",
        tuple(table for flow in flows for table in flow.tables),
        "\n".join(line for flow in flows for line in flow.lines),
        parts=tuple(parts),
        embedded=(*seen.pictures(package, "BinData/"), *_preview_picture(package)),
        findings=tuple(dict.fromkeys(findings)),
    )


def _check_open(package: Package) -> None:
    if MANIFEST in package.entries and any("encryption" in local(e) for e in package.xml(MANIFEST).iter()):
        raise ParseRefused(
            "type.encrypted",
            "암호가 걸린 한글 문서는 점검할 수 없습니다. 암호를 풀고 저장해 제출하세요.",
            "An encrypted Hangul document cannot be checked. Save it without a password.",
        )


def _makers(package: Package) -> Iterator[Finding]:
    if INDEX not in package.entries:
        return
    for element in package.xml(INDEX).iter():
        value = (element.text or "").strip()
        what = element.get("name", "") if local(element) == "meta" else local(element)
        if value and what in seen.PERSONAL:
            yield seen.personal(what, value)


def _tracked() -> Finding:
    return seen.listed(
        "office.tracked",
        "변경 내용 추적이 남아 있습니다. 지운 글도 파일에 있습니다. 모두 적용하고 제출하세요.",
        "Tracked changes: deleted text is still in the file. Accept them all and submit again.",
    )


def _has_changes(package: Package) -> bool:
    header = "Contents/header.xml"
    return header in package.entries and any(local(e) in TRACKED for e in package.xml(header).iter())


def _does(package: Package, name: str) -> bool:
    # Hangul writes empty handlers into every document; anything in their bodies is a script of somebody's.
    text = _text(package.entries[name])
    lines = [line.strip() for line in text.replace("{", "\n").replace("}", "\n").splitlines()]
    return any(line and not line.startswith(("function", "//", "var Documents", "var Document")) for line in lines)


def _text(content: bytes) -> str:
    try:
        return decode(content)
    except ParseRefused:
        return content.decode("utf-16-le", "replace")


def _preview(package: Package) -> Iterator[str]:
    # Written when the document was saved last; it may show what is no longer in it.
    if package.entries.get(PREVIEW_TEXT, b"").strip():
        yield _text(package.entries[PREVIEW_TEXT])


def _preview_picture(package: Package) -> list[Embedded]:
    content = package.entries.get(PREVIEW_PICTURE, b"")
    return [Embedded("미리보기 그림", PREVIEW_PICTURE, content)] if content else []


def _other_texts(package: Package) -> Iterator[str]:
    for name in package.names:
        if name.endswith((".xml", ".hpf", ".rdf")) and not name.startswith("Contents/section"):
            yield from odd_text(package.xml(name))
