"""One uploaded file, looked through inside the sealed child: what it is, what is wrong with it, what it would lay out.

korea.md R36–R39. Code is text and is read as such, alone or in an archive; models are read by their formats; reference
data by the airlock's own parsers. What is none of these is refused with the reason.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from enclave.airlock.checks.encoded import check_encoded
from enclave.airlock.checks.findings import block, warn
from enclave.airlock.checks.identifiers import check_identifiers, check_name
from enclave.airlock.document import Document
from enclave.airlock.incoming.archive import Member, ends_as_archive, is_archive, unpack
from enclave.airlock.incoming.limits import ImportLimits
from enclave.airlock.incoming.linkage import check_linkage
from enclave.airlock.incoming.models.lightgbm import is_lightgbm, read_lightgbm
from enclave.airlock.incoming.models.model import Model
from enclave.airlock.incoming.models.onnx_file import read_onnx
from enclave.airlock.incoming.models.safetensors import read_safetensors
from enclave.airlock.incoming.models.xgboost import read_json, read_ubj
from enclave.airlock.incoming.notebook import read_notebook
from enclave.airlock.incoming.paths import packed_stem, safe_path
from enclave.airlock.incoming.refused import check_may_come
from enclave.airlock.incoming.source import check_source
from enclave.airlock.incoming.tables import check_tables, data_rules
from enclave.airlock.parse import parse
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.grid import too_big
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.report import MAX_FINDINGS, MAX_TEXT, Evidence, FileReport, Finding, Severity, Status
from enclave.airlock.rules import CheckRules

DATA = frozenset({".csv", ".tsv", ".parquet"})
CODE = frozenset({
    ".py", ".pyi", ".ipynb", ".r", ".rmd", ".qmd", ".sql", ".sh", ".bash", ".yaml", ".yml", ".toml", ".json",
    ".md", ".rst", ".txt", ".cfg", ".ini", ".conf", ".jl", ".do", ".sas", ".stan", ".c", ".h", ".cc", ".cpp",
    ".hpp", ".java", ".scala", ".go", ".rs", ".js", ".ts", ".css", ".lock", ".in", ".mk", ".cff", ".bib",
    ".tex", ".gitignore",
})  # fmt: skip
# Files without an ending that every source tree has; anything else without one must at least be text.
PYTHON = frozenset({".py", ".pyi"})
# In code an author's address or name is usual; in reference data it is somebody's.
USUAL_IN_CODE = frozenset({
    "id.email", "id.name", "id.address", "id.region", "id.org", "id.date", "id.url", "id.age90", "id.ip", "id.brn",
})  # fmt: skip
TREE_HEAD = ("path", "bytes", "sha256")


@dataclass(frozen=True)
class Arrival:
    """What a file turned out to be: `kind` is code, model or table; `members` what would be laid out, in order."""

    kind: str
    members: tuple[Member, ...] = ()
    findings: tuple[Finding, ...] = ()
    rows: int | None = None
    columns: int | None = None


def inspect(content: bytes, name: str, limits: ImportLimits) -> FileReport:
    """Return the report on one file, with the list of what it would lay out as evidence `tree`. Pure."""
    try:
        arrival = open_arrival(content, name, limits)
    except ParseRefused as refused:
        arrival = Arrival("unknown", findings=(block(refused.rule, refused.ko, refused.en),))
    findings = sorted([*arrival.findings, *check_name(name)], key=lambda finding: finding.severity)
    return FileReport(
        name=name[:MAX_TEXT],
        sha256="",
        kind=arrival.kind,
        findings=tuple(findings[:MAX_FINDINGS]),
        rows=arrival.rows,
        columns=arrival.columns,
        evidence=(_tree(arrival.members),) if arrival.members else (),
    )


def open_arrival(content: bytes, name: str, limits: ImportLimits) -> Arrival:
    """Recognise a file and look through it. Raises `ParseRefused` where it is nothing that may come."""
    if not content:
        raise ParseRefused("parse.empty", "파일이 비어 있습니다.", "The file is empty.")
    check_may_come(content, name)
    if packed_stem(name):
        return _archive(content, limits)
    if is_archive(content):
        raise _wrong_type(name)
    if ends_as_archive(content):
        raise _two_in_one()
    members = (Member(safe_path(_plain_name(name)), content),)
    if model := _model(content, name):
        return Arrival("model", members, tuple(_of_model(model)), rows=model.parts)
    if _ending(name) in DATA:
        return _table(members, limits)
    return Arrival("code", members, tuple(_of_code(members[0], limits)))


def members_of(content: bytes, name: str, limits: ImportLimits) -> tuple[Member, ...]:
    """Return what a file lays out, looked at no further. Raises `ParseRefused`."""
    if packed_stem(name):
        return unpack(content, limits)
    return (Member(safe_path(_plain_name(name)), content),)


def _archive(content: bytes, limits: ImportLimits) -> Arrival:
    members = unpack(content, limits)
    findings: list[Finding] = []
    for member in members:
        try:
            check_may_come(member.content, member.path)
            found = _of_member(member, limits) if member.content else []
        except ParseRefused as refused:
            found = [block(refused.rule, refused.ko, refused.en)]
        findings += [replace(one, place=f"{member.path} {one.place}".strip()[:MAX_TEXT]) for one in found]
    return Arrival("code", members, tuple(findings), rows=len(members))


def _of_member(member: Member, limits: ImportLimits) -> list[Finding]:
    # A table is looked through as one wherever it lies; other data (Parquet) cannot be shown out of an archive.
    if _ending(member.path) in {".csv", ".tsv"}:
        return list(_table((member,), limits).findings)
    return _of_code(member, limits)


def _of_code(member: Member, limits: ImportLimits) -> list[Finding]:
    ending = _ending(member.path)
    if ending and ending not in CODE and ending not in DATA:
        raise _wrong_type(member.path)
    text = decode(member.content)
    if len(text) > limits.max_text:
        raise ParseRefused(
            "import.too-long",
            f"글이 {limits.max_text:,}자를 넘어 모두 확인할 수 없습니다. 나누어 올리세요.",
            f"The text has more than {limits.max_text:,} characters and cannot be looked through. Split it.",
        )
    if ending == ".ipynb":
        code, findings = read_notebook(text)
        findings += [found for source in code for found in check_source(source, python=True)]
        findings += check_source(text, python=False)
    else:
        findings = check_source(text, python=ending in PYTHON)
    scan = check_identifiers(Document("text", text=text), CheckRules(max_scan_chars=limits.max_text))
    tables = [] if ending == ".ipynb" else check_tables(member.content, member.path, limits)
    return [*findings, *(_softer(found) for found in scan), *tables]


def _softer(found: Finding) -> Finding:
    return replace(found, severity=Severity.WARN) if found.rule in USUAL_IN_CODE else found


def _model(content: bytes, name: str) -> Model | None:
    ending = _ending(name)
    if ending == ".safetensors":
        return read_safetensors(content)
    if ending == ".onnx":
        return read_onnx(content)
    if ending == ".ubj":
        return read_ubj(content)
    if ending == ".json" and b'"learner"' in content and b'"gradient_booster"' in content:
        return read_json(content)
    if ending in {".txt", ".model", ".lgb"} and is_lightgbm(content[:400].decode("utf-8", "replace")):
        return read_lightgbm(decode(content))
    return None


def _of_model(model: Model) -> list[Finding]:
    text = "\n".join(model.texts)
    findings = [*check_source(text, python=False)]
    findings += check_identifiers(Document("text", text=text), CheckRules(max_scan_chars=max(len(text), 1)))
    if model.foreign:
        which = ", ".join(model.foreign)[:200]
        findings.append(
            warn(
                "import.operators",
                f"표준이 아닌 연산자를 씁니다({which}). 실행하려면 다른 코드가 필요합니다.",
                f"It uses operators outside the standard ({which}); they need other code to run.",
            )
        )
    return findings


def _table(members: tuple[Member, ...], limits: ImportLimits) -> Arrival:
    member = members[0]
    rules = data_rules(limits)
    document = parse(member.content, member.path, rules)
    findings: list[Finding] = [*document.findings]
    for _, part in document.walk():
        if part.long_tables:
            raise too_big(rules)
        findings += check_identifiers(part, rules)
        findings += check_encoded(part)
        findings += [found for table in part.tables for found in check_linkage(table, limits)]
    tables = [table for _, part in document.walk() for table in part.tables]
    shape = tables[0] if len(tables) == 1 else None
    return Arrival(
        "table", members, tuple(findings), len(shape.rows) if shape else None, len(shape.columns) if shape else None
    )


def _tree(members: tuple[Member, ...]) -> Evidence:
    rows = [(one.path, str(len(one.content)), hashlib.sha256(one.content).hexdigest()) for one in members]
    return Evidence(
        kind="tree",
        title_ko=f"펼치면 나오는 파일 {len(rows):,}개",
        title_en=f"{len(rows):,} files it lays out",
        status=Status.NONE,
        rows=(TREE_HEAD, *rows),
    )


def _plain_name(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])


def _ending(name: str) -> str:
    path = PurePosixPath(name)
    return path.suffix.lower() if path.suffix else (path.name.lower() if path.name.startswith(".") else "")


def _two_in_one() -> ParseRefused:
    return ParseRefused(
        "import.embedded",
        "파일 끝에 압축 파일이 붙어 있습니다(R37). 모델이나 표만 남겨 다시 저장하고, 담긴 것은 따로 올리세요.",
        "An archive stands at the end of the file (R37). Save the model or table alone; upload what it holds as files.",
    )


def _wrong_type(name: str) -> ParseRefused:
    wheel = name.lower().endswith((".whl", ".egg", ".jar", ".rpm", ".deb"))
    now_ko = (
        "패키지는 ‘패키지’ 화면에서 신청하세요."
        if wheel
        else "코드는 글 파일이나 zip·tar.gz로, 표는 CSV·Parquet로 올리세요."
    )
    now_en = (
        "Ask for packages on the packages page."
        if wheel
        else "Send code as text, zip or tar.gz, tables as CSV or Parquet."
    )
    return ParseRefused(
        "import.type",
        f"받지 않는 형식입니다: {_ending(name)[:12]!a}. {now_ko}",
        f"Not taken: {_ending(name)[:12]!a}. {now_en}",
    )
