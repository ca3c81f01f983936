"""DOCX (ECMA-376 part 1 §17): its text, tables, pictures, charts, and what a reader of it does not see."""

from __future__ import annotations

from collections.abc import Iterator

from enclave.airlock.document import Document, Part
from enclave.airlock.parsers.office import seen
from enclave.airlock.parsers.office.charts import chart_parts
from enclave.airlock.parsers.office.flow import Flow, odd_text, read_flow
from enclave.airlock.parsers.office.package import Package, open_package
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

BODY = "word/document.xml"
MACROS = ("word/vbaProject", "word/activeX", "customUI", "word/webextensions", "word/vbaData")
# Entries with running text beside the body -> what they are called.
ASIDES = {
    "word/header": "머리글", "word/footer": "바닥글", "word/footnotes": "각주", "word/endnotes": "미주",
    "word/comments": "메모", "word/glossary": "상용구",
}  # fmt: skip
CHANGES = frozenset({"ins", "del", "moveFrom", "moveTo", "rPrChange", "pPrChange"})


def parse_word(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read a DOCX file. Raises `ParseRefused`."""
    del name, rules
    package = open_package(content)
    findings, texts = seen.properties(package)
    findings += [seen.macros(seen.shown_entry(one)) for one in package.names if one.startswith(MACROS)]
    findings += [*seen.links(package), *seen.unreadable(package)]
    body = read_flow(package.xml(BODY))
    asides = list(_asides(package))
    findings += [*remarks(body), *(one for _, aside in asides for one in remarks(aside))]
    texts += [*_other_texts(package), *seen.link_texts(package)]
    parts = [Part(label, Document("text", tuple(aside.tables), "\n".join(aside.lines))) for label, aside in asides]
    if kept := "\n".join(text for text in texts if text.strip()):
        parts.append(Part("문서 속성", Document("text", text=kept)))
    return Document(
        "document",
        tuple(body.tables),
        "\n".join(body.lines),
        parts=(*parts, *chart_parts(package)),
        embedded=tuple(seen.pictures(package, "word/media/")),
        findings=tuple(dict.fromkeys(findings)),
    )


def remarks(flow: Flow) -> Iterator[Finding]:
    """Yield what a reader does not see: tracked changes, hidden text, comments, fields that fetch."""
    if changes := sum(flow.seen[name] for name in CHANGES):
        yield seen.listed(
            "office.tracked",
            f"변경 내용 추적이 {changes}곳 남아 있습니다. 지운 글도 파일에 있습니다. 모두 적용하고 제출하세요.",
            f"{changes} tracked changes: deleted text is still in the file. Accept them all and submit again.",
        )
    if flow.seen["vanish"] or flow.seen["webHidden"] or flow.seen["hiddenComment"]:
        yield seen.hidden("글자", "text", "")
    if flow.seen["commentReference"] or flow.seen["memo"]:
        yield seen.listed("office.comment", "메모(주석)가 있습니다. 점검에는 포함했습니다.",
                          "There are comments. They were checked with the rest.")  # fmt: skip
    if flow.seen["altChunk"] or flow.seen["OLEObject"] or flow.seen["subDoc"] or flow.seen["ole"]:
        yield seen.refused_part("object")


def _asides(package: Package) -> Iterator[tuple[str, Flow]]:
    for entry in package.names:
        label = next((label for start, label in ASIDES.items() if entry.startswith(start)), None)
        if label is not None and entry.endswith(".xml"):
            flow = read_flow(package.xml(entry))
            if any(line.strip() for line in flow.lines):
                yield label, flow


def _other_texts(package: Package) -> Iterator[str]:
    read = (BODY, "docProps/", "word/charts/chart", *ASIDES)
    for name in package.names:
        if name.endswith((".xml", ".vml")) and not name.startswith(read):
            yield from odd_text(package.xml(name))
