"""R55-R57: direct identifiers in cells, column names, text and file name, found by `deid.detect.scan`.

Cells are read one by one with their column's name before them as context, so that neighbouring numbers of a table never
join into something that looks like a telephone number; cells that are plain short numbers are not read at all. Numbers
split over neighbouring cells are looked for on purpose.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from deid.detect.found import Found
from deid.detect.scan import scan
from enclave.airlock.checks.findings import block, cell_place, line_place, mask, warn
from enclave.airlock.checks.unfolded import unfolded
from enclave.airlock.document import Document, Table
from enclave.airlock.report import Finding, Severity
from enclave.airlock.rules import CheckRules

# Dates, organisations, web addresses stand in honest results; a person looks at them. The rest stops the file.
LOOK_AT = frozenset({"DATE", "ORG", "URL", "BRN", "AGE90", "REGION"})
SURE_NAME = 0.8
COMPANY_NUMBER = re.compile(r"1[568]\d\d[ ]?-[ ]?\d{4}")  # the numbering plan gives 15xx-18xx to companies only
SHOWN_EACH, SHOWN_WARNINGS = 20, 3
PIECE_CHARS = 4000
# A plain number of up to seven digits, or one with a decimal point, is a result.
RESULT = re.compile(r"\s*[<≤>≥~+-]?\s*(?:\d{1,7}|\d{1,3}(?:,\d{3})+|\d*\.\d+(?:[eE][+-]?\d+)?|\d+\.)\s*%?\s*")
# Regions down to a city's district, as results are grouped by; no road, quarter or number.
PROVINCES = "서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주"
REGION = rf"(?:{PROVINCES}|[가-힣]{{1,6}}(?:시|도|군|구))"
REGIONS = re.compile(rf"{REGION}(?:[ ]{{1,2}}{REGION}){{0,2}}")
# By form alone; other long numbers may be those of neighbouring cells of a table.
ACROSS_CELLS = frozenset({"RRN", "FRN", "PHONE", "EMAIL"})
BETWEEN_CELLS = re.compile(r"[\n\t]")
HALF_RRN = (re.compile(r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"), re.compile(r"[0-9]\d{6}"))
SPLIT_PHONE = (re.compile(r"01[016789]"), re.compile(r"\d{3,4}"), re.compile(r"\d{4}"))
LABELS = {
    "RRN": ("주민등록번호", "resident registration number"), "FRN": ("외국인등록번호", "foreigner registration number"),
    "PHONE": ("전화번호", "telephone number"), "EMAIL": ("전자우편 주소", "e-mail address"),
    "IP": ("IP 주소", "IP address"),
    "CARD": ("카드번호", "card number"), "NAME": ("이름", "name of a person"), "ADDRESS": ("주소", "address"),
    "REGION": ("시·군·구까지의 지역", "region down to a district"),
    "MRN": ("병원등록번호", "hospital number"), "DATE": ("날짜", "date"), "DATE_BIRTH": ("생년월일", "date of birth"),
    "ORG": ("기관명", "organisation"), "URL": ("웹 주소", "web address"), "BRN": ("사업자등록번호", "business number"),
    "AGE90": ("90세 이상 나이", "age of 90 or more"), "PASSPORT": ("여권번호", "passport number"),
    "DRIVER_LICENSE": ("운전면허번호", "driving licence number"), "LICENSE_NO": ("면허번호", "licence number"),
    "INS_NO": ("보험증번호", "insurance number"), "BANK_ACCOUNT": ("계좌번호", "bank account number"),
    "PLATE": ("차량번호", "number plate"),
}  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """One identifier, where it stands, and its masked form."""

    type: str
    score: float
    place: str
    sample: str


def check_name(name: str) -> list[Finding]:
    """Scan a file's name, without folder and ending."""
    return findings_of(in_short(_stem(name), "name"))


def check_identifiers(document: Document, rules: CheckRules) -> list[Finding]:
    """Scan a document, not its parts. Too much text to scan is a finding itself: nothing is skipped silently."""
    if len(document.text) > rules.max_scan_chars:
        return [
            block(
                "id.too-much-text",
                f"식별정보를 찾기에는 글이 너무 깁니다({len(document.text):,}자). 집계하거나 나누어 제출하세요.",
                f"Too much text to look for identifiers ({len(document.text):,} characters). Aggregate or split it.",
            )
        ]
    return findings_of((*hits_in(document), *_respelled(document)))


def _respelled(document: Document) -> Iterator[Hit]:
    for start, kind, run in unfolded(document.text):
        yield Hit(kind, 1.0, line_place(document.text.count("\n", 0, start)), mask(run))


def hits_in(document: Document) -> Iterator[Hit]:
    """Yield every identifier in a parsed file; what stands in a table of a text comes twice, from cell and line."""
    for table in document.tables:
        yield from _in_table(table)
    if document.is_prose:
        cells = {cell.strip() for table in document.tables for row in table.rows for cell in row}
        yield from _in_text(document.text, cells)


def stops(hit: Hit) -> bool:
    """Return whether a hit is of a kind that stops a file, and not one that a person should only look at."""
    is_unsure = (hit.type == "NAME" and hit.score < SURE_NAME) or (hit.type == "PHONE" and not hit.score)
    return hit.type not in LOOK_AT and not is_unsure


def check_loose_text(texts: Iterable[tuple[str, str]]) -> list[Finding]:
    """Scan short texts given as (place, text), such as a picture's metadata."""
    return findings_of([hit for place, text in texts for hit in in_short(text, place)])


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("_", " ")


def _in_table(table: Table) -> Iterator[Hit]:
    for index, name in enumerate(table.columns):
        yield from in_short(name, cell_place(None, index, table=table.label))
        seen: dict[str, list[Found]] = {}
        for row, cell in enumerate(table.by_column[index]):
            if not cell or RESULT.fullmatch(cell):
                continue
            if cell not in seen:
                seen[cell] = scan_cell(name, cell)
            if seen[cell]:
                place = cell_place(row, index, name, table=table.label)
                yield from (hit(found, place, cell) for found in seen[cell])
    yield from _split_over_cells(table)


def scan_cell(name: str, cell: str) -> list[Found]:
    """Scan one cell with its column's name before it as context."""
    # A column name is context only if it is a plain one: an identifier in it would be counted for every cell.
    context = f"{name.strip()}: " if name.strip() and not scan(name) else ""
    shifted = [
        Found(found.start - len(context), found.end - len(context), found.type, found.score)
        for found in scan(context + cell)
        if found.end > len(context)
    ]
    return [Found(max(0, found.start), found.end, found.type, found.score) for found in shifted]


def _split_over_cells(table: Table) -> Iterator[Hit]:
    columns = table.by_column
    for index in range(len(columns) - 1):
        pair = list(zip(columns[index], columns[index + 1], strict=True))
        halves = [row for row, cells in enumerate(pair) if _all_match(HALF_RRN, cells)]
        # Two columns of numbers meet by chance now and then; a split identifier does in most rows.
        if halves and 2 * len(halves) > len(pair):
            yield Hit("RRN", 0.9, cell_place(halves[0], index, table=table.label), mask(pair[halves[0]][0]))
        triple = list(zip(*columns[index : index + 3], strict=True)) if index + 2 < len(columns) else []
        for row, cells in enumerate(triple):
            if _all_match(SPLIT_PHONE, cells):
                yield Hit("PHONE", 0.9, cell_place(row, index, table=table.label), mask(cells[0]))


def _all_match(patterns: tuple[re.Pattern[str], ...], cells: tuple[str, ...]) -> bool:
    return all(pattern.fullmatch(cell.strip()) for pattern, cell in zip(patterns, cells, strict=True))


def _in_text(text: str, cells: Collection[str]) -> Iterator[Hit]:
    for start, piece in _pieces(text):
        first = text.count("\n", 0, start)
        for found in scan(piece):
            if not _is_of_cells(found, piece, cells):
                yield hit(found, line_place(first + piece.count("\n", 0, found.start)), piece)


def _is_of_cells(found: Found, text: str, cells: Collection[str]) -> bool:
    # The cells of a document's table stand on lines of their own: four counts in a row are no card, and a code of an
    # illness with the count beside it is no record's number. Each cell is looked at by itself, as in any table.
    if found.type in ACROSS_CELLS or not BETWEEN_CELLS.search(text, found.start, found.end):
        return False
    start = max(text.rfind("\n", 0, found.start), text.rfind("\t", 0, found.start)) + 1
    after = BETWEEN_CELLS.search(text, found.end)
    whole = text[start : after.start() if after else len(text)]
    return all(cell.strip() in cells for cell in BETWEEN_CELLS.split(whole))


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    # Pieces overlap by a line, so that nothing hides on a seam; the same hit twice is one finding by its place.
    start = 0
    while start < len(text):
        end = text.rfind("\n", start + 1, start + PIECE_CHARS) + 1 or start + PIECE_CHARS
        yield start, text[start : end + 100]
        start = end


def in_short(text: str, place: str) -> Iterator[Hit]:
    """Yield the identifiers in one short text."""
    return (hit(found, place, text) for found in scan(text))


def hit(found: Found, place: str, text: str) -> Hit:
    """Return what was found in a text as a hit, its value masked."""
    value = text[found.start : found.end]
    kind = "REGION" if found.type == "ADDRESS" and REGIONS.fullmatch(value.strip()) else found.type
    score = 0.0 if kind == "PHONE" and COMPANY_NUMBER.fullmatch(value.strip()) else found.score
    return Hit(kind, score, place, mask(value))


def findings_of(hits: Iterable[Hit]) -> list[Finding]:
    """Return one finding per place and kind, a bounded number of each kind."""
    findings: dict[Finding, None] = {}
    shown: Counter[str] = Counter()
    for each in hits:
        finding = _finding(each)
        if finding in findings:
            continue
        shown[finding.rule] += 1
        if shown[finding.rule] <= (SHOWN_EACH if finding.severity is Severity.BLOCK else SHOWN_WARNINGS):
            findings[finding] = None
    return list(findings)


def _finding(hit: Hit) -> Finding:
    ko, en = LABELS.get(hit.type, (hit.type, hit.type))
    rule = f"id.{hit.type.lower().replace('_', '-')}"
    if not stops(hit):
        return warn(
            rule,
            f"{ko}(으)로 보이는 내용이 있습니다. 개인을 가리키는지 확인하세요.",
            f"Something looks like this: {en}. Does it point at a person?",
            place=hit.place,
            sample=hit.sample,
        )
    return block(
        rule,
        f"{ko}(으)로 보이는 값이 있습니다. 지우고 다시 제출하세요.",
        f"A value looks like this: {en}. Remove it and submit again.",
        place=hit.place,
        sample=hit.sample,
    )
