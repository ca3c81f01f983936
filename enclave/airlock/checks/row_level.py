"""R49: results leave, records do not. Looks for identifier columns, unique keys, and tables long as the data itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from enclave.airlock.checks.counts import has_counts
from enclave.airlock.checks.findings import block, cell_place, mask, warn
from enclave.airlock.checks.numbers import is_measure_name, read_count
from enclave.airlock.document import Table
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

ID_NAME = re.compile(
    r"(?i)(?:^|[_\s.-])(?:id|pid|mrn|ssn|rrn|uuid|guid|pseudonym|pseudo|hash|accession)(?:$|[_\s.-])"
    r"|(?:patient|subject|person|member|case|record|visit|encounter|study|participant|hospital)[_\s.-]*"
    r"(?:id|no|num|number|key|nr)s?\b"
    r"|가명|식별자|등록번호|환자번호|대상자번호|연구번호|접수번호|검체번호|병록번호|주민|고유번호|환자[_\s]*id|일련번호"
)
PSEUDONYM = re.compile(
    r"(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{12,128}"
    r"|(?=[0-9A-F]*[0-9])(?=[0-9A-F]*[A-F])[0-9A-F]{12,128}"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|(?=[A-Z2-7]*[2-7])(?=[A-Z2-7]*[A-Z])[A-Z2-7]{13,64}"
    r"|(?=[A-Za-z0-9_-]*[0-9])(?=[A-Za-z0-9_-]*[A-Z])(?=[A-Za-z0-9_-]*[a-z])[A-Za-z0-9_-]{16,64}"
)
# Ids of words, models and runs: what a vocabulary or a log has, not a person.
OF_THINGS = re.compile(
    r"(?i)(?:concept|vocab(?:ulary)?|domain|model|run|experiment|job|config|seed|feature|variable|var|item|question|code"
    r"|drug|atc|ingredient|edi|loinc|snomed|icd|test|lab|fold|cluster|topic|region|ward|dept|department|version|commit"
    r"|build|task|metric|trial|class|category|group)[_\s.-]*id"
)
CODE = re.compile(r"[A-Za-z]{0,4}[-_]?\d{5,12}|[A-Za-z]{1,4}[-_]?\d{3,12}")
FEW_PSEUDONYMS, KEY_ROWS, LONG_ROWS = 3, 20, 50
LONGEST_NAME = 60  # a line of prose that was taken for a header is no column name


def check_row_level(table: Table, rules: CheckRules) -> list[Finding]:
    """Find what makes a table one of records instead of results."""
    return [*_id_columns(table, rules), *_id_rows(table), *_unique_keys(table), *_length(table, rules)]


def _id_columns(table: Table, rules: CheckRules) -> Iterator[Finding]:
    for index, name in enumerate(table.columns):
        values = [value.strip() for value in table.by_column[index] if value.strip()]
        place = cell_place(None, index, name, table=table.label)
        codes = {value for value in values if PSEUDONYM.fullmatch(value)}
        if (found := judge_column(name, values, codes, rules, place)) is not None:
            yield found


def _id_rows(table: Table) -> Iterator[Finding]:
    # A table on its side: people across, their ids in one row.
    if (
        ID_NAME.search(table.columns[0])
        and len(table.columns) > KEY_ROWS
        and all(map(CODE.fullmatch, table.columns[1:]))
    ):
        yield _identifier_column(cell_place(None, 0, table.columns[0], table=table.label), table.columns[1:])
    for index, row in enumerate(table.rows):
        values = {cell.strip() for cell in row[1:] if cell.strip()}
        name = row[0].strip() if row else ""
        is_id = len(name) <= LONGEST_NAME and ID_NAME.search(name) and not OF_THINGS.fullmatch(name)
        if is_id and len(values) >= KEY_ROWS:
            yield _identifier_column(cell_place(index, 0, table.columns[0], table=table.label), sorted(values))


def judge_column(
    name: str, values: Sequence[str], codes: Collection[str], rules: CheckRules, place: str
) -> Finding | None:
    """Judge a column by its name, its filled cells, and those of them that are ``codes`` (look like pseudonyms)."""
    if name.strip().casefold() in {known.strip().casefold() for known in rules.id_columns}:
        return _identifier_column(place, values)
    if codes and (len(codes) >= FEW_PSEUDONYMS or 2 * len(codes) >= len(values)):
        return block(
            "row.pseudonym",
            f"가명처럼 보이는 값이 {len(codes)}개 있는 열입니다. 열을 빼고 집계해 제출하세요.",
            f"A column with {len(codes)} values that look like pseudonyms. Drop it and aggregate.",
            place=place,
            sample=mask(min(codes)),
        )
    if OF_THINGS.fullmatch(name.strip()):
        return None
    if len(name) <= LONGEST_NAME and ID_NAME.search(name) and len(set(values)) > 1:
        return _identifier_column(place, values)
    return None


def _identifier_column(place: str, values: Sequence[str]) -> Finding:
    return block(
        "row.id-column",
        "대상자 식별자 열이 있습니다. 이 열을 빼고 집계한 결과를 제출하세요.",
        "There is a column of subject ids. Drop it and submit aggregated results.",
        place=place,
        sample=mask(values[0]) if values else "",
    )


def _unique_keys(table: Table) -> Iterator[Finding]:
    if len(table.rows) < KEY_ROWS:
        return
    for index, name in enumerate(table.columns):
        values = [value.strip() for value in table.by_column[index]]
        if OF_THINGS.fullmatch(name.strip()) and has_counts(table):
            continue  # a concept with the number of its people, which the rules of counts look at
        if len(set(values)) == len(values) and are_keys(name, values):
            yield unique_key(len(values), values[0], cell_place(None, index, name, table=table.label))


def are_keys(name: str, values: Sequence[str]) -> bool:
    """Whether cells, all different and in the order of their rows, look like the numbers of persons."""
    if is_measure_name(name) or not all(CODE.fullmatch(value) for value in values):
        return False
    return not _is_running(values)  # an index written by to_csv is no key of persons


def unique_key(rows: int, sample: str, place: str) -> Finding:
    """Return the finding on a column with a number of its own in each row."""
    return block(
        "row.unique-key",
        f"{rows}개 행마다 다른 번호를 가진 열입니다. 개인별 자료로 보입니다. 집계해 제출하세요.",
        f"Each of the {rows} rows has a number of its own: these look like records. Aggregate them.",
        place=place,
        sample=mask(sample),
    )


def _is_running(values: Sequence[str]) -> bool:
    counts = [read_count(value) for value in values]
    return all(a is not None and b is not None and b - a == 1 for a, b in pairwise(counts))


def _length(table: Table, rules: CheckRules) -> Iterator[Finding]:
    yield from judge_length(len(table.rows), rules, table.label)
    if LONG_ROWS <= len(table.rows) <= rules.max_rows and len(table.rows) != rules.subjects and not has_counts(table):
        yield warn(
            "row.no-counts",
            f"건수 열이 없는 {len(table.rows):,}행의 표입니다. 개인별 자료인지 확인이 필요합니다.",
            f"{len(table.rows):,} rows without a column of counts: are these records of persons?",
            place=table.label,
        )


def judge_length(rows: int, rules: CheckRules, place: str) -> Iterator[Finding]:
    """Judge how many rows a table has."""
    if rows > rules.max_rows:
        yield block(
            "row.too-many",
            f"행이 {rows:,}개입니다(기준 {rules.max_rows:,}개). 결과표로 집계해 제출하세요.",
            f"The table has {rows:,} rows ({rules.max_rows:,} allowed). Aggregate it into a table of results.",
            place=place,
        )
    elif rows == rules.subjects:
        yield warn(
            "row.per-subject",
            f"행 수가 대상자 수({rows:,})와 같습니다. 개인별 자료인지 확인이 필요합니다.",
            f"There are as many rows as data subjects ({rows:,}): is it one row per person?",
            place=place,
        )
