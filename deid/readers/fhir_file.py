"""Opening a file of FHIR R4 resources, one JSON object a line (NDJSON, as bulk exports write it): one row for each.

The recipe's columns are paths (`fhir_path.py`). Every element that stands in the file must be covered by one, or by a
dropped element it is part of: what identifies and is not named stops the run, and so does the rest unless the recipe
says `others: drop`. A reference becomes `Type/id`, and so does a resource's own id: both have the same pseudonym.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NoReturn

from deid.errors import SourceError
from deid.readers.fhir_path import Path as ElementPath
from deid.readers.fhir_path import PathError, leaves, parse
from deid.readers.letters import refuse_byte
from deid.readers.parquet_file import refuse_zone
from deid.readers.refuse import check_rows, refuse
from deid.readers.regular import check_stamp, open_regular, stamp
from deid.readers.source import Reading, Source
from deid.readers.spelling import ZonedError, date_formats, day_of, spell
from deid.readers.spool import Spool, kept
from deid.recipe import Limits, TableRule
from deid.schemas.fhir import kind_of
from deid.treatments.plain import Drop

BOM = b"\xef\xbb\xbf"
MOST_ELEMENTS = 10_000
MOST_NAMED = 20
ELEMENT = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
REFERENCE = re.compile(r"(?:https?://\S*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:/_history/\S+)?")
URN = re.compile(r"urn:(?:uuid|oid):([A-Za-z0-9.\-]{1,64})")
TO_PATIENT = ("subject.reference", "patient.reference")


@contextmanager
def open_fhir(rule: TableRule, folder: Path, limits: Limits, how: Reading) -> Iterator[Source]:
    """Check `folder/rule.file` and give a `Source`. Raises `SourceError` or `RecipeError`."""
    with ExitStack() as stack:
        file = stack.enter_context(open_regular(folder, rule.file))
        before = stamp(file)
        digest = hashlib.sha256()
        spool = stack.enter_context(Spool(rule, rule.file, limits, how.spool))
        row = _Row(rule)
        for number, line in lines_of(rule.file, file, limits.line_bytes):
            digest.update(line)
            how.advance(len(line))
            if line.strip():
                spool.add(number, row.values(number, parse_resource(rule.file, number, line, rule.origin.resource)))
                if spool.rows > limits.rows:
                    check_rows(rule.file, spool.rows, limits)
        content = spool.finish(lambda: check_stamp(file, before, rule.file))
        check_rows(rule.file, spool.rows, limits)
        _check_elements(rule, row.seen)
        loaded = kept(content, spool, in_memory=how.in_memory)
        content.check_unchanged()
        header = tuple(column.source for column in rule.columns)
        yield Source(rule, rule.file, header, spool.rows, before[0], digest.hexdigest(), content, loaded)


def lines_of(name: str, file: IO[bytes], longest: int) -> Iterator[tuple[int, bytes]]:
    """Give the lines with their numbers from 1. Raises `SourceError` for one of more than `longest` bytes."""
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest:
            both = (
                f"한 줄이 제한보다 깁니다({longest:,}바이트).",
                f"a line is longer than the limit ({longest:,} bytes).",
            )
            fix = (
                "limits.line_bytes를 올리거나 첨부를 빼고 내보내세요.",
                "Raise limits.line_bytes, or leave attachments out.",
            )
            refuse(name, "broken-line", both, fix, at=(number, -1))
        yield number, line


def parse_resource(name: str, number: int, line: bytes, resource: str = "") -> dict[str, Any]:
    """Parse a line; it must be of type `resource` if that is given. Raises `SourceError`."""
    if number == 1:
        line = line.removeprefix(BOM)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        refuse_byte(name, "utf-8", line, error.start, at=(number, 0))
    try:
        parsed = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse(name, number, "broken-json", ("JSON이 아닙니다.", "is not JSON."))
    said = parsed.get("resourceType") if isinstance(parsed, dict) else None
    if not isinstance(said, str) or (resource and said != resource):
        wanted = resource or "FHIR"
        _refuse(name, number, "resource", (f"{wanted}이(가) 아닌 줄입니다.", f"the line is not a {wanted}."))
    return dict(parsed)


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and infinities are not JSON")


class _Row:
    """Turns resources into rows, and notes every element that it met with its first line."""

    def __init__(self, rule: TableRule) -> None:
        self.rule = rule
        self.seen: dict[str, int] = {}
        formats = date_formats(rule)
        self._columns = [(name, parse(name), formats.get(name)) for name in rule.used]

    def values(self, number: int, resource: dict[str, Any]) -> list[str | None]:
        """Give the used columns of one resource. Raises `SourceError` with its line."""
        for path in leaves(resource):
            if path not in self.seen:
                self._note(path, number)
        return [self._value(number, resource, *column) for column in self._columns]

    def _note(self, path: str, number: int) -> None:
        if not ELEMENT.fullmatch(path) or len(self.seen) >= MOST_ELEMENTS:
            _refuse(
                self.rule.file, number, "element", ("FHIR이 아닌 항목이 있습니다.", "has elements that are not FHIR's.")
            )
        self.seen[path] = number

    def _value(
        self, number: int, resource: dict[str, Any], name: str, path: ElementPath, form: str | None
    ) -> str | None:
        try:
            value = path.value(resource)
            if value is None:
                return None
            if path.generic == "id":
                return f"{self.rule.origin.resource}/{value}"
            if path.generic.endswith("reference"):
                return self._reference(number, name, path, str(value))
            if form is not None and isinstance(value, str):
                return day_of(value, form, self.rule.origin.timezone)
            return spell(value, form)
        except ZonedError:
            refuse_zone(self.rule, name, number)
        except PathError as error:
            ko, en = PROBLEMS[error.reason]
            both = (f"'{name}'{ko}", f"'{name}' {en}")
            fix = (
                "first(), last(), [n], where(…), join('…')로 고르세요.",
                "Choose by first(), last(), [n], where(…), join('…').",
            )
            refuse(self.rule.file, f"path-{error.reason}", both, fix, at=(number, -1))  # fmt: skip

    def _reference(self, number: int, name: str, path: ElementPath, value: str) -> str:
        patient = name == self.rule.subject or path.generic in TO_PATIENT
        found, urn = REFERENCE.fullmatch(value), URN.fullmatch(value)
        if found and not (name == self.rule.subject and found[1] != "Patient"):
            return f"{found[1]}/{found[2]}"
        if urn:
            return f"Patient/{urn[1]}" if patient else value
        if value.startswith("#") and not patient:
            return value
        raise SourceError(
            (self.rule.file, number, -1),
            "reference",
            (f"'{name}'이(가) 환자나 기록의 참조가 아닙니다.", f"'{name}' is no reference to a patient or record."),
            remedy=("Type/id 꼴의 참조로 내보내세요.", "Export references as Type/id."),
        )


PROBLEMS = {
    "several": (" 값이 여럿입니다.", "has several values."),
    "parts": ("은(는) 값이 아니라 여러 부분으로 된 항목입니다.", "is an element with parts, not a value."),
}


def _check_elements(rule: TableRule, seen: dict[str, int]) -> None:
    """Every element of the file is named, every published one was there at least once."""
    named = [(parse(column.source).generic, column) for column in rule.columns]
    covered: Callable[[str], bool] = lambda path: any(  # noqa: E731 - asked once per element
        path == generic or (isinstance(column.treatment, Drop) and path.startswith(f"{generic}."))
        for generic, column in named
    )
    unnamed = [path for path in seen if path != "resourceType" and not covered(path)]
    identifying = [path for path in unnamed if kind_of(rule.origin.resource, path) is not None]
    forgotten = (
        identifying if rule.origin.drop_others else [*identifying, *(p for p in unnamed if p not in identifying)]
    )
    if forgotten:
        words = ", ".join(forgotten[:MOST_NAMED]) + (" …" if len(forgotten) > MOST_NAMED else "")
        refuse(
            rule.file, "untreated-column",
            (f"처리 방법이 정해지지 않은 항목: {words}.", f"elements without a treatment: {words}."),
            (
                "계획에 treatment를 적으세요. 알아볼 수 없는 나머지는 others: drop으로 뺄 수 있습니다.",
                "Give them a treatment; the rest that identifies nobody can be left out by others: drop.",
            ),
            at=(min(seen[path] for path in forgotten), -1),
        )  # fmt: skip
    for generic, column in named:
        missing = not isinstance(column.treatment, Drop) and generic not in seen
        if missing and column.source not in rule.origin.optional:
            column.node.fail(
                "unknown-column",
                f"파일 {rule.file}에 항목 '{column.source}'이(가) 한 번도 없습니다.",
                f"the element '{column.source}' is nowhere in {rule.file}.",
                remedy=("없어도 되면 optional에 적으세요.", "If it may be missing, name it in optional."),
            )


def _refuse(name: str, number: int, code: str, both: tuple[str, str]) -> NoReturn:
    fix = ("원본에서 이 줄을 고쳐 다시 내보내세요.", "Mend this line at its origin and export again.")
    refuse(name, code, both, fix, at=(number, -1))
