"""What runs inside the sealed child: read the open file, parse it, run the checks, answer with JSON."""

from __future__ import annotations

import base64
import io
import json
import os
from dataclasses import replace
from typing import Any

from PIL import Image

from enclave.airlock import known
from enclave.airlock.checks.curves import check_curves
from enclave.airlock.checks.dominance import check_dominance
from enclave.airlock.checks.encoded import check_encoded, check_written
from enclave.airlock.checks.extremes import check_extremes
from enclave.airlock.checks.findings import block, warn
from enclave.airlock.checks.identifiers import check_identifiers, check_name
from enclave.airlock.checks.image import check_picture
from enclave.airlock.checks.known import check_known
from enclave.airlock.checks.long_identifiers import check_long_identifiers
from enclave.airlock.checks.long_rows import check_long_rows
from enclave.airlock.checks.min_cell import check_min_cell
from enclave.airlock.checks.prose import check_prose
from enclave.airlock.checks.reading import check_reading
from enclave.airlock.checks.recoverable import check_recoverable, check_shares
from enclave.airlock.checks.regression import check_regression
from enclave.airlock.checks.rounding import check_rounding
from enclave.airlock.checks.row_level import check_row_level
from enclave.airlock.checks.shown import search_shown
from enclave.airlock.checks.text import check_text
from enclave.airlock.checks.unnamed import check_unnamed
from enclave.airlock.document import Document, Table
from enclave.airlock.figures import letters
from enclave.airlock.known import Known
from enclave.airlock.parse import parse
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.repairs.offers import offered
from enclave.airlock.repairs.refused import RepairRefused
from enclave.airlock.repairs.registry import make
from enclave.airlock.report import MAX_FINDINGS, MAX_TEXT, FileReport, Finding
from enclave.airlock.rerun.same import same
from enclave.airlock.rules import CheckRules
from enclave.airlock.viewing import highlight, jobs

PIECE = 1 << 20
NOTES = {
    "ragged": (
        "행마다 칸 수가 다릅니다. 빈 칸으로 채워 점검했습니다.",
        "Rows differ in length; short ones were filled with blanks for the check.",
    ),
    "no-header": (
        "열 이름이 없습니다. 열 이름을 붙여 제출하면 심사가 빨라집니다.",
        "There is no header. With column names the review is quicker.",
    ),
}


def warm() -> None:
    """Run every check once before the server is sealed, so that nothing has to be imported later."""
    rules = CheckRules()
    picture = io.BytesIO()
    Image.new("RGB", (2, 2)).save(picture, "PNG")
    photo = io.BytesIO()
    Image.new("RGB", (2, 2)).save(photo, "JPEG")
    samples = {
        "a.csv": "지역,n\n서울,010-0000-0000\n".encode("cp949"),
        "b.txt": "김가나 2020-01-01 a@example.com\n".encode("utf-16"),
        "c.json": b'[{"n": 1}]',
        "long.csv": "지역,n,메모\n".encode() + b"a,1,900101\n" * 10_001,
        "quoted.csv": b'a,n\n"b",1\n' * 10_001,
        "d.png": picture.getvalue(),
        "e.jpg": photo.getvalue(),
        "f.csv": "지역,n\n서울,121\n부산,*\n대구,45\n합계,171\n".encode(),
    }
    if letters.is_available():
        letters.load()
    for name, content in samples.items():
        inspect(content, name, rules)
        jobs.run({"do": "open", "name": name, "first": 0}, content)
    for name in ("d.png", "e.jpg"):
        jobs.run({"do": "picture", "name": name, "piece": 0}, samples[name])
    jobs.warm()
    highlight.warm()
    same(picture.getvalue(), photo.getvalue(), "d.png", rules)
    same(samples["a.csv"], samples["f.csv"], "a.csv", rules)
    make(samples["f.csv"], "f.csv", "suppress", rules)


def run(job: dict[str, Any], descriptor: int) -> bytes:
    """Do a job (``check``, ``cells``, ``repair``, ``search``, or a viewer's) over an open file; returns UTF-8 JSON."""
    content = _read(descriptor)
    if job["do"] == "search":
        return json.dumps(search_shown(content), ensure_ascii=False).encode()
    if job["do"] == "repair":
        return json.dumps(_repaired(content, job), ensure_ascii=False).encode()
    if job["do"] == "rerun":
        again = _read(job["descriptors"][0])
        found = same(content, again, job["name"], CheckRules.from_json(job["rules"]))
        return json.dumps({"how": found.how, "rows": found.rows}, ensure_ascii=False).encode()
    if job["do"] in jobs.JOBS:
        later = [_read(each) for each in job.get("descriptors", ())]
        return json.dumps(jobs.run(job, content, *later)).encode()
    rules = CheckRules.from_json(job["rules"])
    if job["do"] == "cells":
        return json.dumps(cells(content, job["name"], rules), ensure_ascii=False).encode()
    values = known.read(job["descriptors"][0], bytes.fromhex(job["known"])) if "known" in job else None
    return inspect(content, job["name"], rules, values).to_json().encode()


def _repaired(content: bytes, job: dict[str, Any]) -> dict[str, Any]:
    try:
        ending, made = make(content, job["name"], job["repair"], CheckRules.from_json(job["rules"]))
    except RepairRefused as refused:
        return {"refused": {"rule": refused.rule, "ko": refused.ko, "en": refused.en}}
    return {"ending": ending, "content": base64.b64encode(made).decode()}


def inspect(content: bytes, name: str, rules: CheckRules, values: Known | None = None) -> FileReport:
    """Check the bytes of one file; pure. The sealing fills in hash and barriers."""
    document: Document | None = None
    try:
        document = parse(content, name, rules)
        findings = look(document, name, rules, values)
    except ParseRefused as refused:
        findings = [block(refused.rule, refused.ko, refused.en)]
    shapes = [shape for _, part in document.walk() for shape in part.shapes] if document is not None else []
    return FileReport(
        name=name[:MAX_TEXT],
        sha256="",
        kind=document.kind if document is not None else "unknown",
        findings=tuple(_offering(each, name) for each in sorted(findings, key=_gravity)[:MAX_FINDINGS]),
        rows=shapes[0][0] if len(shapes) == 1 else None,
        columns=shapes[0][1] if len(shapes) == 1 else None,
    )


def cells(content: bytes, name: str, rules: CheckRules) -> dict[str, Any]:
    """Return the texts of a file that is one table and nothing else, or an empty object."""
    try:
        document = parse(content, name, rules)
    except ParseRefused:
        return {}
    tables = [table for _, part in document.walk() for table in part.tables]
    plain = document.kind == "table" or (document.kind == "workbook" and len(document.parts) == 1)
    if len(tables) != 1 or not plain or len(tables[0].rows) > rules.max_rows:
        return {}
    return {"columns": tables[0].columns, "rows": tables[0].rows}


def look(document: Document, name: str, rules: CheckRules, values: Known | None = None) -> list[Finding]:
    """Run every check over a document and all its parts; places in a part begin with its label."""
    findings = check_name(name)
    for label, part in document.walk():
        findings += [_placed(finding, label) for finding in _look_at(part, rules)]
        if values is not None:
            findings += [_placed(finding, label) for finding in check_known(part, values)]
    tables = [(label, table) for label, part in document.walk() for table in part.tables]
    # Over all tables at once: what one of them hides another may show.
    return [
        *findings,
        *check_recoverable([each for each in tables if len(each[1].rows) <= rules.max_rows], rules.min_cell),
    ]


def _gravity(finding: Finding) -> str:
    return finding.severity


def _offering(finding: Finding, name: str) -> Finding:
    return finding if finding.repairs else replace(finding, repairs=offered(finding.rule, name))


def _placed(finding: Finding, label: str) -> Finding:
    return replace(finding, place=f"{label} {finding.place}".strip()[:MAX_TEXT]) if label else finding


def _look_at(document: Document, rules: CheckRules) -> list[Finding]:
    findings = [*document.findings, *(warn(f"table.{note}", *NOTES[note]) for note in document.notes)]
    if document.kind == "picture":
        return [*findings, *check_picture(document.picture, rules)]
    for table in document.tables:
        findings += check_row_level(table, rules)
        if len(table.rows) <= rules.max_rows:
            findings += _look_at_results(table, rules)
    for long_table in document.long_tables:
        findings += [*check_long_rows(long_table, rules), *check_long_identifiers(long_table, rules)]
    if document.written:
        findings += check_written(document.written)
    if document.is_prose:
        findings += check_text(document, rules)
    if document.picture:
        findings += [*check_picture(document.picture, rules), *check_reading(document)]
    findings += [
        *check_regression(document, rules.min_freedom),
        *check_extremes(document),
        *check_prose(document, rules.min_cell),
    ]
    return [*findings, *check_encoded(document), *check_identifiers(document, rules)]


def _look_at_results(table: Table, rules: CheckRules) -> list[Finding]:
    # A table too long to be one of results is stopped as such, and looked at no further.
    found = [*check_min_cell(table, rules.min_cell), *check_shares(table, rules.min_cell), *check_rounding(table)]
    return [
        *found,
        *check_dominance(table, rules.dominance_percent / 100),
        *check_curves(table),
        *check_unnamed(table, rules.min_cell),
    ]


def _read(descriptor: int) -> bytes:
    # At once where the kernel gives it at once: pieces would be held twice when they are joined.
    content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    while piece := os.pread(descriptor, PIECE, len(content)):
        content += piece
    return content
