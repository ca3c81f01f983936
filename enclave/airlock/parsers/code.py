"""Code (Python, R, SQL, Stata, SAS, shell …): text whose literals count, and tables pasted into it.

Nothing is run and no language is parsed: strings, comments and numbers look alike enough in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from enclave.airlock.checks.findings import block, line_place, warn
from enclave.airlock.document import Document, Part, Table
from enclave.airlock.parsers.data_lines import data_lines
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.text import all_tables
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

ENDINGS = frozenset({
    ".py", ".r", ".sql", ".sh", ".do", ".ado", ".sas", ".sps", ".jl", ".stan", ".rmd", ".qmd", ".yaml", ".yml", ".toml",
})  # fmt: skip
# Strings over several lines, and blocks of comments: what stands in them is text.
LONG_STRING = re.compile(r'("""|\'\'\'|`)(.*?)\1|"([^"\n]*\n[^"]*)"|\'([^\'\n]*\n[^\']*)\'', re.DOTALL)
COMMENTS = re.compile(r"(?m)(?:^[ \t]*(?:#|--|//|\*)[^\n]*\n?){3,}")
COMMENT_MARK = re.compile(r"(?m)^[ \t]*(?:#|--|//|\*)+ ?")
LITERAL = re.compile(r"""(?<![\w.])-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\b|"[^"\n]{0,200}"|'[^'\n]{0,200}'""")
BETWEEN = re.compile(r"[\s,;:\[\](){}]{1,80}")
ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\([0-3][0-7]{2})")
LAST_CHARACTER = 0x10FFFF
SOME, MANY = 40, 150


def parse_code(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read a source file. Raises `ParseRefused`."""
    del name
    return code_document(decode(content), rules)


def code_document(text: str, rules: CheckRules) -> Document:
    """Return code with the tables and long lists of values in it, and its escapes written out."""
    plain = ESCAPE.sub(_character, text)
    parts = (Part("풀어 쓴 글자", Document("text", text=plain)),) if plain != text else ()
    return Document("code", tuple(_tables(text, rules)), text, parts=parts, findings=tuple(_lists(text)))


def _tables(text: str, rules: CheckRules) -> Iterator[Table]:
    for found in LONG_STRING.finditer(text):
        yield from _tables_at(text, found.start(), next(filter(None, found.groups()[1:]), ""), rules)
    for found in COMMENTS.finditer(text):
        yield from _tables_at(text, found.start(), COMMENT_MARK.sub("", found.group()), rules)


def _tables_at(text: str, start: int, inner: str, rules: CheckRules) -> Iterator[Table]:
    first = text.count("\n", 0, start)
    for table in all_tables(inner, rules):
        yield replace(table, label=line_place(first + int(table.label[1:]) - 1))


def _lists(text: str) -> Iterator[Finding]:
    found = [(text.count("\n", 0, start), count) for start, count in _runs(text)]
    known = {line for line, _ in found}
    for line, count in (*found, *(each for each in data_lines(text) if each[0] not in known)):
        if count >= MANY:
            yield block(
                "code.data",
                f"코드 안에 값 {count}개가 이어져 있습니다. 자료는 코드에 붙이지 말고 파일에서 읽으세요.",
                f"{count} values in a row stand in the code. Read data from a file, do not paste them into code.",
                place=line_place(line),
            )
        elif count >= SOME:
            yield warn(
                "code.values",
                f"코드 안에 값 {count}개가 이어져 있습니다. 개인별 자료인지 확인하세요.",
                f"{count} values in a row stand in the code: are these of persons?",
                place=line_place(line),
            )


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield where values follow each other with nothing but punctuation between, and how many."""
    start = end = count = 0
    for found in LITERAL.finditer(text):
        if count and BETWEEN.fullmatch(text, end, found.start()):
            end, count = found.end(), count + 1
            continue
        if count >= SOME:
            yield start, count
        start, end, count = found.start(), found.end(), 1
    if count >= SOME:
        yield start, count


def _character(found: re.Match[str]) -> str:
    octal = found[4]
    number = int(octal, 8) if octal else int(found[1] or found[2] or found[3], 16)
    return chr(number) if number <= LAST_CHARACTER else found[0]
