"""XLSX (ECMA-376 part 1 §18): each sheet a part with its tables; everything hidden in it found, listed and read.

A file's own XML is read, and not what a library makes of it, because what is to be found is what libraries pass over.
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import join, normpath
from xml.etree.ElementTree import Element

from enclave.airlock.checks.findings import NAME_LIKE_VALUE
from enclave.airlock.document import Document, Part
from enclave.airlock.parsers.office import seen
from enclave.airlock.parsers.office.charts import chart_parts
from enclave.airlock.parsers.office.flow import local, odd_text
from enclave.airlock.parsers.office.package import Package, damaged, open_package
from enclave.airlock.parsers.office.sheet import read_sheet
from enclave.airlock.parsers.office.styles import Styles, read_styles
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

WORKBOOK = "xl/workbook.xml"
# Entries by the beginning of their names -> what is found in them.
MACROS = (
    "xl/vbaProject",
    "xl/macrosheets",
    "xl/dialogsheets",
    "xl/activeX",
    "xl/ctrlProps",
    "customUI",
    "xl/webextensions",
)
EXTERNAL = ("xl/externalLinks", "xl/connections", "xl/queryTables", "xl/model", "xl/customData", "xl/xmlMaps")
# What is read elsewhere; of everything else all texts are read, and attributes too long to describe looks.
READ = ("xl/worksheets/sheet", "xl/sharedStrings", "docProps/", WORKBOOK, "xl/charts/chart")
BUILT_IN = "_xlnm."
SHOWN_NAME = 40


def parse_workbook(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read an XLSX file. Raises `ParseRefused`."""
    del name
    package = open_package(content)
    findings, texts = seen.properties(package)
    findings += [*_entries(package), *seen.links(package), *seen.unreadable(package)]
    root = package.xml(WORKBOOK)
    strings = list(_strings(package))
    styles = read_styles(package.entries.get("xl/styles.xml"))
    parts: list[Part] = []
    for number, sheet in enumerate((e for e in root.iter() if local(e) == "sheet"), 1):
        label = sheet_label(sheet.get("name", ""), number)
        texts.append(sheet.get("name", ""))
        part, noted = _sheet(package, _target(package, sheet), (strings, styles), rules, label)
        parts.append(part)
        texts += noted
        if sheet.get("state", "visible") != "visible":
            findings.append(seen.hidden("시트", "a sheet", label))
    named, name_texts = _names(root)
    findings += named
    texts += [*name_texts, *_unused(parts, strings), *_other_texts(package), *seen.link_texts(package)]
    return Document(
        "workbook",
        text="\n".join(text for text in texts if text.strip()),
        parts=(*parts, *chart_parts(package)),
        embedded=tuple(seen.pictures(package, "xl/media/")),
        findings=tuple(dict.fromkeys(findings)),
    )


def sheet_label(name: str, number: int) -> str:
    """Name a sheet by its own name, unless that is long or looks like a value."""
    if name.isprintable() and len(name) <= SHOWN_NAME and not NAME_LIKE_VALUE.search(name):
        return f"시트 ‘{name}’"
    return f"시트 {number}"


def _entries(package: Package) -> Iterator[Finding]:
    for name in package.names:
        if name.startswith(MACROS):
            yield seen.macros(seen.shown_entry(name))
        elif name.startswith(EXTERNAL):
            yield seen.external(seen.shown_entry(name))
        elif name.startswith("xl/pivotCache"):
            yield seen.pivot_cache()
        elif name.startswith(("xl/comments", "xl/threadedComments")):
            yield seen.listed("office.comment", "메모(주석)가 있습니다. 점검에는 포함했습니다.",
                              "There are comments. They were checked with the rest.")  # fmt: skip


def _strings(package: Package) -> Iterator[str]:
    if "xl/sharedStrings.xml" in package.entries:
        for item in package.xml("xl/sharedStrings.xml"):
            # rPh: how a word is read aloud (Japanese); it is text all the same.
            yield "".join(text.text or "" for text in item.iter() if local(text) == "t")


def _target(package: Package, sheet: Element) -> str:
    relation = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
    for element in package.xml("xl/_rels/workbook.xml.rels").iter():
        if element.get("Id") == relation:
            return normpath(join("/xl", element.get("Target", ""))).lstrip("/")
    raise damaged()


def _sheet(
    package: Package, target: str, shared: tuple[list[str], Styles], rules: CheckRules, label: str
) -> tuple[Part, list[str]]:
    sheet = read_sheet(package.xml(target), *shared, rules)
    document = Document("table", tuple(sheet.tables), sheet.text, findings=tuple(sheet.findings))
    return Part(label, document), sheet.noted


def _names(root: Element) -> tuple[list[Finding], list[str]]:
    findings, texts = [], []
    for element in root.iter():
        if local(element) == "definedName":
            texts += [element.get("name", ""), element.text or "", element.get("comment", "")]
            if not element.get("name", "").startswith(BUILT_IN):
                findings.append(seen.listed("office.name", "정의된 이름이 있습니다. 점검에는 포함했습니다.",
                                            "There are defined names. They were checked with the rest."))  # fmt: skip
            if "[" in (element.text or ""):
                findings.append(seen.external("definedName"))
    return findings, texts


def _unused(parts: list[Part], strings: list[str]) -> list[str]:
    """Return the strings that no cell shows: what was deleted may still be in the file."""
    used = {
        cell for part in parts for table in part.document.tables for row in (table.columns, *table.rows) for cell in row
    }
    return [text for text in strings if text not in used]


def _other_texts(package: Package) -> Iterator[str]:
    for name in package.names:
        if name.endswith((".xml", ".vml")) and not name.startswith(READ):
            yield from odd_text(package.xml(name))
