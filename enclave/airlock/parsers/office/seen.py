"""R60: the findings that office files share: what is hidden in them, who wrote them, what cannot be looked into."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from enclave.airlock.checks.findings import block, mask, warn
from enclave.airlock.document import Embedded
from enclave.airlock.parsers.looks import odd_looks
from enclave.airlock.parsers.office.flow import local
from enclave.airlock.parsers.office.package import Package, is_archive, is_xml
from enclave.airlock.report import Finding

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".emf", ".wmf", ".svg", ".webp")
PROGRAMS = frozenset(
    {"openpyxl", "xlsxwriter", "pandas", "python-docx", "libreoffice", "microsoft excel", "apache poi"}
)
PERSONAL = frozenset({"creator", "lastModifiedBy", "lastsaveby", "Company", "Manager", "author", "keywords", "subject",
                      "description", "title", "category", "contentStatus", "identifier", "HyperlinkBase"})  # fmt: skip

# When it was saved, versions, counts of words.
PLAIN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|[\d.]{1,10}|true|false")


def hidden(what_ko: str, what_en: str, place: str) -> Finding:
    """Return a warning: there is something that a reader of the file does not see at first."""
    return warn(
        "office.hidden",
        f"{what_ko}이(가) 숨겨져 있습니다. 점검에는 포함했습니다. 필요 없으면 지우고 제출하세요.",
        f"Hidden: {what_en}. It was checked with the rest. Delete it if it is not needed.",
        place=place,
    )


def listed(rule: str, ko: str, en: str, place: str = "", sample: str = "") -> Finding:
    """Return a warning about something in the file that is no content proper, for a person to look at."""
    return warn(rule, ko, en, place=place, sample=sample)


def refused_part(name: str) -> Finding:
    """Return the finding on an entry that nobody can look into."""
    return block(
        "office.embedded",
        "들여다볼 수 없는 것(삽입 개체, 글꼴, 프린터 설정, 이진 자료)이 들어 있습니다. 빼고 저장해 제출하세요.",
        "It holds what cannot be looked into (objects, fonts, printer settings, binary data). Save it without.",
        place=shown_entry(name),
    )


def shown_entry(name: str) -> str:
    """Name an entry by folder and ending: its own name may say anything."""
    path = PurePosixPath(name)
    folder = path.parts[0] if len(path.parts) > 1 else ""
    return f"{folder[:20]}/…{path.suffix[:8]}" if folder.isprintable() and path.suffix.isprintable() else "…"


def macros(place: str) -> Finding:
    """Return the finding on macros, scripts and controls."""
    return block(
        "office.macros",
        "매크로나 스크립트가 들어 있습니다. 매크로 없이 저장해 제출하세요(xlsx, docx, CSV).",
        "It holds macros, scripts or controls. Save it without (xlsx, docx, CSV).",
        place=place,
    )


def external(place: str) -> Finding:
    """Return the finding on links to other files, data connections, and what fetches from elsewhere."""
    return block(
        "office.external",
        "다른 파일이나 데이터 연결을 가리키며 그 값이 함께 저장되어 있을 수 있습니다. 연결을 끊고 값만 저장하세요.",
        "It points to other files or data connections, whose values may be stored with it. Break the links.",
        place=place,
    )


def pivot_cache() -> Finding:
    """Return the finding on a pivot table's cache: the records themselves, whatever the table shows (R60)."""
    return block(
        "office.pivot",
        "피벗 캐시에 원자료가 들어 있습니다. 값만 복사해 새 파일로 저장하세요.",
        "A pivot cache holds the records themselves. Paste the values into a new file.",
    )


def properties(package: Package) -> tuple[list[Finding], list[str]]:
    """Return findings and texts on who made the file: docProps and custom properties."""
    findings: list[Finding] = []
    texts: list[str] = []
    for name in package.names:
        if not name.lower().startswith("docprops/") or not is_xml(name):
            continue
        for element in package.xml(name).iter():
            value = (element.text or "").strip()
            if not value or PLAIN.fullmatch(value):
                continue
            texts.append(value)
            if (local(element) in PERSONAL and value.casefold() not in PROGRAMS) or "custom" in name.lower():
                findings.append(personal(local(element), value))
    return findings, texts


def personal(what: str, value: str) -> Finding:
    """Return the warning about a property that may name a person or an institution."""
    return listed(
        "office.properties",
        "문서 속성에 작성자 등이 적혀 있습니다. ‘문서 검사’로 개인 정보를 지우고 제출하세요.",
        "The document's properties say who made it. Remove personal information and submit again.",
        place=what[:40],
        sample=mask(value),
    )


def links(package: Package) -> Iterator[Finding]:
    """Yield a finding for each relation that leads outside, web links apart (their text is read as text)."""
    for name in package.names:
        if not name.endswith(".rels"):
            continue
        for element in package.xml(name).iter():
            if element.get("TargetMode") == "External" and not element.get("Type", "").endswith("/hyperlink"):
                yield external(shown_entry(name))


def link_texts(package: Package) -> Iterator[str]:
    """Yield where the web links lead to, and names of entries that say more than a name."""
    yield from odd_looks(*package.names)
    for name in package.names:
        if name.endswith(".rels"):
            targets = (element for element in package.xml(name).iter() if element.get("TargetMode") == "External")
            yield from (target.get("Target", "") for target in targets)


def pictures(package: Package, folder: str) -> list[Embedded]:
    """Return the pictures below a folder, to be opened like submitted ones."""
    found = [name for name in package.names if name.startswith(folder) and name.lower().endswith(PICTURES)]
    return [Embedded(f"그림 {number}", name, package.entries[name]) for number, name in enumerate(found, 1)]


def unreadable(package: Package, known: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Yield a finding for each entry that is neither XML nor a picture nor ``known`` by its beginning."""
    for name, content in package.entries.items():
        plain = is_xml(name) or name.startswith(known)
        if is_archive(content) or not (plain or name.lower().endswith(PICTURES)):
            yield refused_part(name)
